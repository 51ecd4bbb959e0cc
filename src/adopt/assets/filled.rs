//! Directories that an earlier stage fills, part by part.

use super::asset::Asset;
use super::copies::{Files, Item};
use super::elsewhere;
use crate::adopt::dockerfile::{self, From};
use crate::adopt::layers::{Contents, Origin, Placed, is_output};
use crate::adopt::manifest::Draft;
use crate::adopt::paths::{absolute, join};
use crate::adopt::remark::list;

impl Files<'_> {
    /// Takes what is known to be in a directory of another stage, and tells of the rest; gives whether the
    /// source is such a directory.
    pub(super) fn filled(
        &self,
        line: usize,
        copy: &dockerfile::Copy,
        source: &str,
        draft: &mut Draft<'_>,
        assets: &mut Vec<Asset>,
    ) -> bool {
        let contents =
            Contents::of_copy(self.stages, self.stage, self.workspace, line, copy, source);
        let Some(mut contents) = contents else {
            return false;
        };
        contents.parts.retain(|part| {
            let is_there = |path: &str| self.exists(path) && !is_output(path);
            !part.may_be || is_there(part.origin.path())
        });
        if contents.parts.is_empty() {
            return false;
        }
        let mut others = Vec::new();
        for part in contents.parts {
            let to = join(&copy.to, &part.inner);
            let placed = self.executables.iter().find(|placed| placed.path == to);
            match placed {
                Some(placed) if self.is_other(placed) => others.push(placed),
                Some(placed) => self.told_of_executable(line, copy, &placed.path, draft),
                None => self.part(line, copy, &part.origin, &to, draft, assets),
            }
        }
        self.told_of_others(line, &others, draft);
        for command in contents.unknown {
            draft.lost(
                line,
                &format!("`{command}` is not followed: what it puts into `{}` is not in the image", absolute("/", source)),
                "libraries that the executable links are found by themselves; name other files in `assets`",
            );
        }
        true
    }

    /// Whether an executable is not that of the service.
    fn is_other(&self, placed: &Placed) -> bool {
        self.own.is_some_and(|own| placed.origin != own.origin)
    }

    /// One file or directory of it, which goes to `to`.
    fn part(
        &self,
        line: usize,
        copy: &dockerfile::Copy,
        origin: &Origin,
        to: &str,
        draft: &mut Draft<'_>,
        assets: &mut Vec<Asset>,
    ) {
        let path = origin.path();
        let alone = dockerfile::Copy {
            to: to.to_owned(),
            into: false,
            sources: vec![path.to_owned()],
            ..copy.clone()
        };
        let item = Item {
            line,
            copy: &alone,
            path,
            to,
        };
        match origin {
            Origin::Context(path) if self.exists(path) && !is_output(path) => {
                self.context(item, draft, assets);
            }
            Origin::Context(path) => self.made(line, path, draft),
            Origin::Made { path, .. } => {
                if !elsewhere::adopt(line, &alone, path, draft) {
                    self.made(line, path, draft);
                }
            }
            Origin::Image { image, .. } => {
                let of_image = dockerfile::Copy {
                    from: From::Image(image.clone()),
                    ..alone.clone()
                };
                let copy = &of_image;
                self.source(Item { copy, ..item }, draft, assets);
            }
        }
    }

    /// Executables of other services, which such a directory brings, too.
    fn told_of_others(&self, line: usize, others: &[&Placed], draft: &mut Draft<'_>) {
        match others {
            [] => {}
            [placed] => self.made(line, placed.origin.name(), draft),
            several => {
                let mut names: Vec<String> = several
                    .iter()
                    .map(|placed| placed.origin.name().to_owned())
                    .collect();
                names.sort();
                names.dedup();
                draft.lost(
                    line,
                    &format!(
                        "{} are executables of their own: an image has one",
                        list(&names)
                    ),
                    "each service gets its own image, from a Dockerfile of its own or without",
                );
            }
        }
    }
}
