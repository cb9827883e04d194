"""Set metrics on open encoders, whose weights the user fetches."""

from eval.distribution.measures import DIVERSITY, EVERY, FRECHET, KERNEL_DISTANCE, Numbers, register

# The number that papers call FVD, and its limit; I3D's windows are the samples, as there.
register(
    Numbers("fvd", "i3d_k400_clip", "features_SD", "part", "I3D's answers to windows of the clip"),
    FRECHET,
    names={"frechet_distance": "fvd", "frechet_limit": "fvd_limit"},
)
register(Numbers("videomae", "videomae_b_clip", "features_SD", "clip", "VideoMAE's numbers of the clip"), EVERY)
register(Numbers("vjepa2", "vjepa2_l_clip", "features_SD", "clip", "V-JEPA 2's numbers of the clip"), EVERY)
register(Numbers("dinov2_frame", "dinov2_b14_frames", "features_TD", "part", "DINOv2's numbers of each frame"), FRECHET)
register(Numbers("dinov2", "dinov2_b14_frames", "features_TD", "clip", "DINOv2's mean over frames"), [DIVERSITY])
register(Numbers("clip_frame", "clip_b32_frames", "features_TD", "part", "CLIP's numbers of each frame"), FRECHET)
register(
    Numbers("clap", "clap_sound", "features_SD", "clip", "CLAP's numbers of the sound"), (*FRECHET, KERNEL_DISTANCE)
)
