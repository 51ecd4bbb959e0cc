//! How the settings of the process in the image are read: user, paths, ports, signals.

use std::collections::BTreeSet;
use std::fmt;

use super::raw::{Data, Node};
use super::reader::Context;
use super::values::{Port, Protocol, User};
use crate::fs::ImagePath;
use crate::hint::{Hint as _, near_names};
use crate::report::printable;

/// Kubernetes refuses larger ids (`runAsUser`), and Linux keeps 2³²-1 for "no change".
const MAX_ID: u32 = 2_147_483_647;
/// The last real-time signal of Linux.
const MAX_SIGNAL: u8 = 64;

pub(super) fn user(node: &Node, context: &mut Context) -> Option<User> {
    let text = context.text(node)?;
    let id = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok().filter(|id| *id <= MAX_ID))
    };
    let (uid, gid) = text.split_once(':').unwrap_or((text, ""));
    let (message, hint) = match (id(uid), id(gid)) {
        (Some(Some(uid)), Some(Some(gid))) => return Some(User { uid, gid }),
        (Some(Some(uid)), None) if gid.is_empty() => (
            format!("`user` `{}` names no group", printable(text)),
            format!("write `{uid}:{uid}`"),
        ),
        (Some(None), _) | (_, Some(None)) => (
            format!(
                "`user` `{}` has an id above {MAX_ID}, which Kubernetes refuses",
                printable(text)
            ),
            "use a smaller id, such as 65532".to_owned(),
        ),
        _ => (
            format!("`user` `{}` is not numeric", printable(text)),
            "write user and group as numbers, such as `65532:65532`: Kubernetes cannot tell \
             whether a name is root (`runAsNonRoot`)"
                .to_owned(),
        ),
    };
    context.refuse(&node.origin, message, Some(hint));
    None
}

/// An absolute path in the image, other than the root.
pub(super) fn image_path(node: &Node, context: &mut Context) -> Option<ImagePath> {
    let text = absolute(node, context)?;
    match ImagePath::new(text) {
        Ok(path) => Some(path),
        Err(error) => {
            context.refuse(&node.origin, in_key(context, &error), error.hint());
            None
        }
    }
}

/// An absolute path in the image that names a file.
pub(super) fn image_file(node: &Node, context: &mut Context) -> Option<ImagePath> {
    let path = image_path(node, context)?;
    if matches!(&node.data, Data::Text(text) if text.ends_with('/')) {
        let message = format!("`{}` names a directory", context.name());
        let hint = format!("write the file's name too, or `{}`", path.absolute());
        context.refuse(&node.origin, message, Some(hint));
        return None;
    }
    Some(path)
}

pub(super) fn image_files(node: &Node, context: &mut Context) -> Option<Vec<ImagePath>> {
    context.set(node, image_file)
}

pub(super) fn image_paths(node: &Node, context: &mut Context) -> Option<BTreeSet<ImagePath>> {
    Some(context.set(node, image_path)?.into_iter().collect())
}

/// A working directory: `/` or any other absolute path in the image.
pub(super) fn directory(node: &Node, context: &mut Context) -> Option<String> {
    let text = absolute(node, context)?;
    if text == "/" {
        return Some(text.to_owned());
    }
    image_path(node, context).map(|path| path.absolute())
}

fn absolute<'n>(node: &'n Node, context: &mut Context) -> Option<&'n str> {
    let text = context.word(node)?;
    if !text.starts_with('/') {
        let message = format!(
            "`{}` must be absolute, not `{}`",
            context.name(),
            printable(text)
        );
        let hint = format!("write `/{}`", printable(text.trim_start_matches("./")));
        context.refuse(&node.origin, message, Some(hint));
        return None;
    }
    Some(text)
}

fn in_key(context: &Context, error: &impl fmt::Display) -> String {
    format!("`{}`: {}", context.name(), printable(&error.to_string()))
}

pub(super) fn ports(node: &Node, context: &mut Context) -> Option<BTreeSet<Port>> {
    Some(context.set(node, port)?.into_iter().collect())
}

fn port(node: &Node, context: &mut Context) -> Option<Port> {
    let (number, protocol) = match &node.data {
        Data::Integer(number) => (u16::try_from(*number).ok(), Some(Protocol::Tcp)),
        Data::Text(text) => {
            let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
            let digits = number.bytes().all(|byte| byte.is_ascii_digit());
            (
                digits.then(|| number.parse().ok()).flatten(),
                match protocol {
                    "tcp" => Some(Protocol::Tcp),
                    "udp" => Some(Protocol::Udp),
                    "sctp" => Some(Protocol::Sctp),
                    _ => None,
                },
            )
        }
        _ => {
            context.wrong_type(node);
            return None;
        }
    };
    if let (Some(number @ 1..), Some(protocol)) = (number, protocol) {
        return Some(Port { number, protocol });
    }
    let message = format!("{} is no port", printable(&node.to_string()));
    let hint = "write a number from 1 to 65535, or one with its transport such as `\"53/udp\"`";
    context.refuse(&node.origin, message, Some(hint.to_owned()));
    None
}

/// The signals of Linux that a process can handle or that end it (signal(7)).
const SIGNALS: &[&str] = &[
    "SIGABRT",
    "SIGALRM",
    "SIGBUS",
    "SIGCHLD",
    "SIGCONT",
    "SIGFPE",
    "SIGHUP",
    "SIGILL",
    "SIGINT",
    "SIGIO",
    "SIGKILL",
    "SIGPIPE",
    "SIGPROF",
    "SIGPWR",
    "SIGQUIT",
    "SIGSEGV",
    "SIGSTKFLT",
    "SIGSTOP",
    "SIGSYS",
    "SIGTERM",
    "SIGTRAP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGUSR1",
    "SIGUSR2",
    "SIGVTALRM",
    "SIGWINCH",
    "SIGXCPU",
    "SIGXFSZ",
];

pub(super) fn stop_signal(node: &Node, context: &mut Context) -> Option<String> {
    let text = context.text(node)?;
    if SIGNALS.contains(&text) || is_real_time(text) || is_signal_number(text) {
        return Some(text.to_owned());
    }
    let message = format!("`{}` is no signal", printable(text));
    let upper = text.to_uppercase();
    let full = if upper.starts_with("SIG") {
        upper
    } else {
        format!("SIG{upper}")
    };
    let hint = if SIGNALS.contains(&full.as_str()) {
        format!("write `{full}`")
    } else {
        // All begin alike, which makes no name nearer.
        let bare = |name: &'static str| name.trim_start_matches("SIG");
        let near = near_names(
            full.trim_start_matches("SIG"),
            SIGNALS.iter().map(|name| bare(name)),
        );
        match near.first() {
            Some(near) => format!("did you mean `SIG{near}`?"),
            None => {
                format!("use a name such as `SIGTERM`, or a number from 1 to {MAX_SIGNAL}")
            }
        }
    };
    context.refuse(&node.origin, message, Some(hint));
    None
}

/// `SIGRTMIN`, `SIGRTMIN+3`, `SIGRTMAX-1`: image-spec, config.md, names `SIGRTMIN+3` as a form.
fn is_real_time(text: &str) -> bool {
    let offset = if let Some(rest) = text.strip_prefix("SIGRTMIN") {
        rest.strip_prefix('+').or(rest.is_empty().then_some("0"))
    } else if let Some(rest) = text.strip_prefix("SIGRTMAX") {
        rest.strip_prefix('-').or(rest.is_empty().then_some("0"))
    } else {
        None
    };
    offset.is_some_and(|digits| {
        digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.parse::<u8>().is_ok_and(|offset| offset <= 30)
    })
}

fn is_signal_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && text
            .parse::<u8>()
            .is_ok_and(|number| (1..=MAX_SIGNAL).contains(&number))
}
