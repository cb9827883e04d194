"""The deepfake audit over runs and folders: gathering clips, looking at them in parallel, the report, stored audits."""
