//! A report for people.

use std::fmt::Write as _;

use super::layout::{Page, command};
use super::libraries::Library;
use super::report::{LayerReport, Report};
use crate::report::size;

/// Libraries that are shown; a whole distribution has hundreds.
const MAX_LIBRARIES: usize = 40;
const MAX_LABELS: usize = 40;
/// Digits of a digest that tell layers of an image apart.
const SHORT: usize = 12;

impl Report {
    /// All that people want to know, on a page of theirs.
    pub fn to_text(&self, page: Page) -> String {
        let mut text = String::new();
        for line in page.wrapped(&self.reference, 0) {
            text.push_str(&line);
            text.push('\n');
        }
        self.head(page, &mut text);
        self.execution(page, &mut text);
        text.push_str("layers\n");
        for (position, layer) in self.layers.iter().enumerate() {
            layer.describe(page, &mut text, position + 1);
        }
        self.libraries(page, &mut text);
        text
    }

    fn head(&self, page: Page, text: &mut String) {
        // Too long for a column: on a narrow page even for a line.
        if let Some(digest) = &self.digest {
            page.indented(text, 2, &digest.to_string());
        }
        if let Some(manifest) = &self.manifest {
            page.named(text, "manifest", &format!("{} of", short(&manifest.hex())));
            page.named_all(text, "", [self.platforms.join(", ").as_str()]);
        }
        page.named(text, "image id", &short(&self.image_id.hex()));
        page.named(text, "platform", &self.runs_on());
        if let Some(created) = &self.created {
            page.named(text, "created", created);
        }
        let sizes = format!(
            "{} ({} unpacked), {}, {}",
            size(self.compressed),
            size(self.unpacked),
            counted(self.layers.len(), "layer"),
            counted(self.files, "file")
        );
        page.named(text, "size", &sizes);
    }

    /// What it runs on, with what it needs of the system.
    pub(super) fn runs_on(&self) -> String {
        let mut text = self.platform.clone();
        if let Some(version) = &self.os_version {
            let _ = write!(text, ", version {version}");
        }
        if !self.os_features.is_empty() {
            let _ = write!(text, ", with {}", self.os_features.join(", "));
        }
        text
    }

    fn execution(&self, page: Page, text: &mut String) {
        let config = &self.config;
        if !config.entrypoint.is_empty() {
            page.named(text, "entrypoint", &command(&config.entrypoint));
        }
        if !config.cmd.is_empty() {
            page.named(text, "cmd", &command(&config.cmd));
        }
        let user = if config.user.is_empty() {
            "root (none is set)"
        } else {
            &config.user
        };
        page.named(text, "user", user);
        let workdir = if config.workdir.is_empty() {
            "/"
        } else {
            &config.workdir
        };
        page.named(text, "workdir", workdir);
        page.named_all(text, "env", config.env.iter().map(String::as_str));
        if !config.ports.is_empty() {
            page.named(text, "ports", &config.ports.join(", "));
        }
        page.named_all(text, "volumes", config.volumes.iter().map(String::as_str));
        if let Some(signal) = &config.stop_signal {
            page.named(text, "stop signal", signal);
        }
        for (name, value) in [
            ("stop timeout", &config.stop_timeout),
            ("hostname", &config.hostname),
        ] {
            if let Some(value) = value {
                page.named(text, name, value);
            }
        }
        let healthcheck = config.healthcheck_text();
        if !healthcheck.is_empty() {
            page.named(text, "healthcheck", &healthcheck);
        }
        if !config.shell.is_empty() {
            page.named(text, "shell", &command(&config.shell));
        }
        let labels: Vec<String> = config
            .labels
            .iter()
            .take(MAX_LABELS)
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        page.named_all(text, "labels", labels.iter().map(String::as_str));
        rest(text, page, 2, config.labels.len(), MAX_LABELS);
    }

    fn libraries(&self, page: Page, text: &mut String) {
        if self.libraries.is_empty() {
            return;
        }
        text.push_str("libraries\n");
        let shown: Vec<&Library> = self.libraries.iter().take(MAX_LIBRARIES).collect();
        let paths = shown.iter().map(|library| library.path.as_str());
        let width = page.column(paths, 30);
        for library in shown {
            let origin = match (&library.package, &library.version) {
                (Some(package), Some(version)) => format!("{package} {version}"),
                (Some(package), None) => package.clone(),
                (None, _) => "of no package".to_owned(),
            };
            if page.is_narrow() {
                page.indented(text, 2, &page.cut_path(&library.path, 2));
                page.indented(text, 6, &origin);
                continue;
            }
            let path = page.cut_path(&library.path, 30);
            let line = format!("  {path:<width$}  {}", page.cut(&origin, width + 4));
            let _ = writeln!(text, "{}", line.trim_end());
        }
        rest(text, page, 2, self.libraries.len(), MAX_LIBRARIES);
    }
}

impl LayerReport {
    fn describe(&self, page: Page, text: &mut String, number: usize) {
        let digest = short(&self.digest.hex());
        let (stored, unpacked) = (size(self.compressed), size(self.unpacked));
        if page.is_narrow() {
            let _ = writeln!(text, "  {number:>2}  {digest}");
            page.indented(text, 6, &format!("{stored}, {unpacked} unpacked"));
            if !self.made_by.is_empty() {
                let _ = writeln!(text, "      {}", page.cut(&self.made_by, 6));
            }
        } else {
            let sizes = format!("  {number:>2}  {digest}  {stored:>9}  {unpacked:>9} unpacked  ");
            let maker = page.cut(&self.made_by, sizes.chars().count());
            let line = sizes + &maker;
            let _ = writeln!(text, "{}", line.trim_end());
        }
        for file in &self.biggest {
            let _ = writeln!(
                text,
                "      {:>9}  {}",
                size(file.size),
                page.cut_path(&file.path, 17)
            );
        }
        if !self.shared_with.is_empty() {
            let others = format!("also in {}", self.shared_with.join(", "));
            page.indented(text, 6, &others);
        }
    }
}

pub(super) fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn short(hex: &str) -> String {
    hex.chars().take(SHORT).collect()
}

/// What a list leaves out.
pub(super) fn rest(text: &mut String, page: Page, indent: usize, count: usize, most: usize) {
    if count > most {
        let rest = format!("… and {} more, which `--format json` has", count - most);
        page.indented(text, indent, &rest);
    }
}
