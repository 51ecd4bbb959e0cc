//! A report for people.

use std::fmt::Write as _;

use super::layout::{command, cut, cut_path, named, named_all, wrapped};
use super::libraries::Library;
use super::report::{LayerReport, Report};
use crate::report::size;

/// Libraries that are shown; a whole distribution has hundreds.
const MAX_LIBRARIES: usize = 40;
const MAX_LABELS: usize = 40;
/// Digits of a digest that tell layers of an image apart.
const SHORT: usize = 12;

impl Report {
    /// All that people want to know, in 80 columns.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for line in wrapped(&self.reference, 80) {
            text.push_str(&line);
            text.push('\n');
        }
        self.head(&mut text);
        self.execution(&mut text);
        text.push_str("layers\n");
        for (position, layer) in self.layers.iter().enumerate() {
            layer.describe(&mut text, position + 1);
        }
        self.libraries(&mut text);
        text
    }

    fn head(&self, text: &mut String) {
        // Too long for a column.
        if let Some(digest) = &self.digest {
            let _ = writeln!(text, "  {digest}");
        }
        if let Some(manifest) = &self.manifest {
            named(text, "manifest", &format!("{} of", short(&manifest.hex())));
            named_all(text, "", [self.platforms.join(", ").as_str()]);
        }
        named(text, "image id", &short(&self.image_id.hex()));
        named(text, "platform", &self.platform);
        if let Some(created) = &self.created {
            named(text, "created", created);
        }
        let sizes = format!(
            "{} ({} unpacked), {}, {}",
            size(self.compressed),
            size(self.unpacked),
            counted(self.layers.len(), "layer"),
            counted(self.files, "file")
        );
        named(text, "size", &sizes);
    }

    fn execution(&self, text: &mut String) {
        let config = &self.config;
        if !config.entrypoint.is_empty() {
            named(text, "entrypoint", &command(&config.entrypoint));
        }
        if !config.cmd.is_empty() {
            named(text, "cmd", &command(&config.cmd));
        }
        let user = if config.user.is_empty() {
            "root (none is set)"
        } else {
            &config.user
        };
        named(text, "user", user);
        let workdir = if config.workdir.is_empty() {
            "/"
        } else {
            &config.workdir
        };
        named(text, "workdir", workdir);
        named_all(text, "env", config.env.iter().map(String::as_str));
        if !config.ports.is_empty() {
            named(text, "ports", &config.ports.join(", "));
        }
        named_all(text, "volumes", config.volumes.iter().map(String::as_str));
        if let Some(signal) = &config.stop_signal {
            named(text, "stop signal", signal);
        }
        if !config.healthcheck.is_empty() {
            named(text, "healthcheck", &command(&config.healthcheck));
        }
        let labels: Vec<String> = config
            .labels
            .iter()
            .take(MAX_LABELS)
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        named_all(text, "labels", labels.iter().map(String::as_str));
        rest(text, "  ", config.labels.len(), MAX_LABELS);
    }

    fn libraries(&self, text: &mut String) {
        if self.libraries.is_empty() {
            return;
        }
        text.push_str("libraries\n");
        let shown: Vec<&Library> = self.libraries.iter().take(MAX_LIBRARIES).collect();
        let width = |library: &&Library| library.path.chars().count();
        let width = shown.iter().map(width).max().unwrap_or(0).min(50);
        for library in shown {
            let origin = match (&library.package, &library.version) {
                (Some(package), Some(version)) => format!("{package} {version}"),
                (Some(package), None) => package.clone(),
                (None, _) => "of no package".to_owned(),
            };
            let path = cut_path(&library.path, width);
            let line = format!("  {path:<width$}  {}", cut(&origin, 76 - width));
            let _ = writeln!(text, "{}", line.trim_end());
        }
        rest(text, "  ", self.libraries.len(), MAX_LIBRARIES);
    }
}

impl LayerReport {
    fn describe(&self, text: &mut String, number: usize) {
        let line = format!(
            "  {number:>2}  {}  {:>9}  {:>9} unpacked  {}",
            short(&self.digest.hex()),
            size(self.compressed),
            size(self.unpacked),
            cut(&self.made_by, 31)
        );
        let _ = writeln!(text, "{}", line.trim_end());
        for file in &self.biggest {
            let _ = writeln!(
                text,
                "      {:>9}  {}",
                size(file.size),
                cut_path(&file.path, 63)
            );
        }
        if !self.shared_with.is_empty() {
            let others = format!("also in {}", self.shared_with.join(", "));
            for line in wrapped(&others, 74) {
                let _ = writeln!(text, "      {line}");
            }
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn short(hex: &str) -> String {
    hex.chars().take(SHORT).collect()
}

/// What a list leaves out.
pub(super) fn rest(text: &mut String, indent: &str, count: usize, most: usize) {
    if count > most {
        let _ = writeln!(
            text,
            "{indent}… and {} more, which `--format json` has",
            count - most
        );
    }
}
