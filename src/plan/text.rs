//! A plan for people.

use std::fmt::Write as _;

use super::{Details, Plan, PlannedService};

impl Plan {
    /// The plan as text; with `origins`, every value and where it came from.
    pub fn to_text(&self, origins: bool, details: &Details) -> String {
        let mut text = String::new();
        for service in &self.services {
            describe(&mut text, service, details);
            if origins {
                for row in service.config.explain() {
                    // Writing to a string cannot fail.
                    let _ = writeln!(text, "    {} = {}  ({})", row.key, row.value, row.origin);
                }
            }
        }
        if let Some(unaffected) = details
            .unaffected
            .as_ref()
            .filter(|names| !names.is_empty())
        {
            let _ = writeln!(text, "not affected: {}", unaffected.join(", "));
        }
        if !details.libraries.is_empty() {
            text.push_str("libraries of every dynamic executable\n");
            for library in &details.libraries {
                let package = library.package.as_deref().unwrap_or("no package");
                let version = library.version.as_deref().unwrap_or("-");
                let _ = writeln!(
                    text,
                    "  {}  {package} {version} from {}",
                    library.path, library.root
                );
            }
        }
        text
    }
}

fn describe(text: &mut String, service: &PlannedService, details: &Details) {
    let config = &service.config;
    let title = format!(
        "{} (package {} {}, bin {})",
        service.service, service.package, service.version, service.binary
    );
    let mut features = service.selection.features.join(",");
    if service.selection.no_default_features {
        features.push_str(" without defaults");
    }
    if service.selection.all_features {
        "all".clone_into(&mut features);
    }
    let mut lines = vec![
        (
            "target",
            format!("{} ({})", service.target, service.platform),
        ),
        ("profile", config.profile.value.clone()),
        ("builder", config.builder.value.to_string()),
        ("linkage", config.linkage.value.to_string()),
    ];
    if !features.is_empty() {
        lines.push(("features", features.trim().to_owned()));
    }
    lines.push((
        "runs",
        format!("{} as {}", config.path.value, config.user.value),
    ));
    lines.push(("tags", service.tags_for_print().join(", ")));
    for image in details.images.get(&service.service).into_iter().flatten() {
        lines.push(("image", image.clone()));
    }
    let key = details.keys.get(&service.service);
    match key.map(|key| (&key.digest, &key.unkeyed)) {
        Some((Some(digest), _)) => lines.push(("key", digest.to_string())),
        Some((None, Some(reason))) => lines.push(("key", format!("none: {reason}"))),
        _ => {}
    }
    lines.push(("because", service.reasons.join("; ")));
    text.push_str(&title);
    text.push('\n');
    for (name, value) in lines {
        let _ = writeln!(text, "  {name:<9} {value}");
    }
    for input in key.iter().flat_map(|key| &key.inputs) {
        let _ = writeln!(text, "    {} {} = {}", input.kind, input.name, input.value);
    }
}
