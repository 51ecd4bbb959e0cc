//! Layers and settings to an image; and the checker of images.
