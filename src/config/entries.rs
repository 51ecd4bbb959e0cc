//! How entries of tables are read: variables, labels, annotations.

use super::origin::Origin;
use super::raw::{Data, Entry};
use super::reader::Context;
use crate::hint::{near_names, quoted_list};
use crate::report::printable;

/// A variable of the process: neither name nor value may hold what the kernel's form cannot.
pub(super) fn variable(entry: &Entry, context: &mut Context) -> Option<String> {
    variable_name(&entry.name, &entry.origin, context)?;
    entry_text(entry, context)
}

/// `name` if a variable can have it.
pub(super) fn variable_name<'n>(
    name: &'n str,
    place: &Origin,
    context: &mut Context,
) -> Option<&'n str> {
    if !name.is_empty() && !name.contains(['=', '\0']) {
        return Some(name);
    }
    let message = format!("`{}` is no name of a variable", printable(name));
    let hint = "use a name that is not empty and holds neither `=` nor NUL";
    context.refuse(place, message, Some(hint.to_owned()));
    None
}

/// Whether an entry of a table of fixed fields has one of their names.
pub(super) fn one_of(entry: &Entry, fields: &[&str], context: &mut Context) -> bool {
    let known = fields.contains(&entry.name.as_str());
    if !known {
        let key = context.key.name;
        let message = format!("unknown field `{}` in `{key}`", printable(&entry.name));
        let hint = match near_names(&entry.name, fields.iter().copied()).first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("use {}", quoted_list(fields)),
        };
        context.refuse(&entry.origin, message, Some(hint));
    }
    known
}

/// Keys that image-spec, annotations.md, defines; no others may begin with `org.opencontainers.`.
const DEFINED: &[&str] = &[
    "org.opencontainers.image.authors",
    "org.opencontainers.image.base.digest",
    "org.opencontainers.image.base.name",
    "org.opencontainers.image.created",
    "org.opencontainers.image.description",
    "org.opencontainers.image.documentation",
    "org.opencontainers.image.licenses",
    "org.opencontainers.image.ref.name",
    "org.opencontainers.image.revision",
    "org.opencontainers.image.source",
    "org.opencontainers.image.title",
    "org.opencontainers.image.url",
    "org.opencontainers.image.vendor",
    "org.opencontainers.image.version",
];

/// A label or an annotation.
pub(super) fn label(entry: &Entry, context: &mut Context) -> Option<String> {
    let name = &entry.name;
    if name.trim().is_empty() {
        let message = format!("`{}` holds an entry without a name", context.key.name);
        context.refuse(&entry.origin, message, None);
        return None;
    }
    if name.starts_with("org.opencontainers.") && !DEFINED.contains(&name.as_str()) {
        let message = format!(
            "`{}` is not defined: names in `org.opencontainers.` are reserved",
            printable(name)
        );
        let hint = match near_names(name, DEFINED.iter().copied()).first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => "use a name of your own domain".to_owned(),
        };
        context.refuse(&entry.origin, message, Some(hint));
        return None;
    }
    entry_text(entry, context)
}

fn entry_text(entry: &Entry, context: &mut Context) -> Option<String> {
    let key = context.key.name;
    let message = match &entry.node.data {
        Data::Text(text) if text.contains('\0') => {
            format!(
                "`{key}.{}` must not hold a NUL character",
                printable(&entry.name)
            )
        }
        Data::Text(text) => return Some(text.clone()),
        other => format!(
            "`{key}.{}` must be a string, not {}",
            printable(&entry.name),
            other.shape()
        ),
    };
    let hint = match &entry.node.data {
        // `com.acme.team = "x"` is three nested tables to TOML.
        Data::Table(_) => {
            Some("put a name that has dots in quotes: `\"com.acme.team\" = …`".to_owned())
        }
        Data::Integer(_) | Data::Boolean(_) => Some(format!("write `\"{}\"`", entry.node)),
        _ => None,
    };
    context.refuse(&entry.node.origin, message, hint);
    None
}
