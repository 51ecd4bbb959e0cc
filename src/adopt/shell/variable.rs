//! Variables, as shells and Dockerfiles have them.

/// One value may not grow beyond this: `ENV a=$a$a` doubles it each time.
pub(in crate::adopt) const MAX_VALUE: usize = 16 * 1024;

/// Looks up a variable.
pub(in crate::adopt) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// How long the name is that a text begins with.
pub(in crate::adopt) fn name_length(text: &str) -> usize {
    text.bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        .count()
}
