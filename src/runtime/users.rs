//! Users, groups and directories that services expect, as in the distroless images.

use super::RuntimeError;
use super::placement::text_node;
use crate::fs::{ImagePath, Node, Owner, Tree};

const PASSWD: &str = "\
root:x:0:0:root:/root:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
";

const GROUP: &str = "\
root:x:0:
tty:x:5:
staff:x:50:
nonroot:x:65532:
nobody:x:65534:
";

/// glibc needs further libraries for any other source than these two, which are inside it.
const NSSWITCH: &str = "\
passwd: files
group: files
shadow: files
hosts: files dns
networks: files
protocols: files
services: files
";

const NONROOT: Owner = Owner {
    uid: 65532,
    gid: 65532,
};

/// Adds `/etc/passwd`, `/etc/group`, `/etc/nsswitch.conf`, `/tmp` and the homes.
pub(super) fn add(tree: &mut Tree) -> Result<(), RuntimeError> {
    for (path, text) in [
        ("/etc/passwd", PASSWD),
        ("/etc/group", GROUP),
        ("/etc/nsswitch.conf", NSSWITCH),
    ] {
        tree.insert(ImagePath::new(path)?, text_node(text))?;
    }
    for (path, mode, owner) in [
        ("/tmp", 0o1777, Owner::ROOT),
        ("/root", 0o700, Owner::ROOT),
        ("/home", 0o755, Owner::ROOT),
        ("/home/nonroot", 0o700, NONROOT),
    ] {
        tree.insert(ImagePath::new(path)?, Node::Directory { mode, owner })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_user_has_its_group() {
        for user in PASSWD.lines() {
            let fields: Vec<&str> = user.split(':').collect();
            assert_eq!(fields.len(), 7, "{user}");
            let group = format!(":x:{}:", fields[3]);
            assert!(GROUP.lines().any(|line| line.contains(&group)), "{user}");
        }
    }

    #[test]
    fn homes_are_private_and_tmp_is_everyones() {
        let mut tree = Tree::new();
        add(&mut tree).expect("legal");
        let node = |path| tree.get(&ImagePath::new(path).expect("legal"));
        let directory = |mode, owner| Some(Node::Directory { mode, owner });
        assert_eq!(node("/tmp").cloned(), directory(0o1777, Owner::ROOT));
        assert_eq!(node("/root").cloned(), directory(0o700, Owner::ROOT));
        assert_eq!(node("/home/nonroot").cloned(), directory(0o700, NONROOT));
    }
}
