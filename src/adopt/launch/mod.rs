//! What a container of the old image starts: takes `ENTRYPOINT`, `CMD` and `SHELL`, gives the executable with its
//! arguments, without the shell and the init around it.

mod process;
mod shell_form;
mod without_shell;

pub(super) use process::{Launch, Switch, is_init, launch};
pub(super) use without_shell::Unshelled;
