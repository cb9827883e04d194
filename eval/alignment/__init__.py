"""Does the clip answer what was asked?"""
