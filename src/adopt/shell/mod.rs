//! Scripts of a shell: takes their text, gives the commands in it, with each word as the shell fills it in, as
//! far as that can be known. Nothing is run.

mod commands;
mod script;
mod script_word;
mod variable;

pub(super) use commands::{Ran, commands, is_setting, is_shell, is_simple, joined};
pub(super) use script::{Script, Written};
pub(super) use script_word::{Filled, Knowledge};
pub(super) use variable::{Lookup, MAX_VALUE, name_length};
