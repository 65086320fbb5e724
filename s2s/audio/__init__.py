"""Audio: manifests, reading and resampling, log-mel features and their augmentation, checks of a corpus."""
