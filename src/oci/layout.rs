//! The header of an image layout (image-spec, image-layout.md).

use serde::{Deserialize, Serialize};

/// Name of the file that marks a directory as a layout.
pub const LAYOUT_FILE: &str = "oci-layout";

/// Content of [`LAYOUT_FILE`]; readers accept exactly version 1.0.0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub struct LayoutHeader {
    /// Version of the layout.
    pub image_layout_version: String,
}

impl Default for LayoutHeader {
    fn default() -> Self {
        Self {
            image_layout_version: "1.0.0".to_owned(),
        }
    }
}
