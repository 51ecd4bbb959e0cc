//! Every shared library an executable loads, found breadth first as the program loader does.

use std::collections::BTreeSet;

use super::elf::{ElfFile, Machine};
use super::error::MissingLibrary;
use super::root::{LibraryRoot, Resolved};
use super::search::{
    self, Candidate, Libc, Search, SystemDirectories, Tokens, directory_of, file_name,
};
use super::{RuntimeError, glibc::LoaderDirectories};

const MAX_OBJECTS: usize = 1024;
/// Place of the executable in the list of objects.
const EXECUTABLE: usize = 0;

/// What the closure is computed from.
pub(super) struct Origin<'a> {
    pub(super) root: &'a LibraryRoot,
    pub(super) machine: &'a Machine,
    pub(super) libc: Libc,
    pub(super) directories: &'a SystemDirectories,
    pub(super) loader: &'a LoaderDirectories,
    pub(super) service: &'a str,
}

/// An object in memory, as the loader keeps it.
#[derive(Debug)]
pub(super) struct Object {
    /// Names under which it is already loaded.
    names: BTreeSet<String>,
    /// Its directory, as the loader opened it; none for the executable.
    origin: Option<String>,
    /// Who made the loader load it.
    parent: Option<usize>,
    /// Whether `extra-libs` made the loader load it.
    is_extra: bool,
    /// Whether it is found in the image only by a link in one of the loader's own directories.
    needs_link: bool,
    /// What is in it.
    pub(super) elf: ElfFile,
    /// Every way it was reached; empty for the executable.
    pub(super) places: Vec<Resolved>,
    /// Links that the image needs for it: name and target.
    pub(super) links: BTreeSet<(String, String)>,
}

impl Object {
    /// Names and paths by which `extra-libs` may mean it.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.names.contains(name)
            || self
                .places
                .iter()
                .any(|place| place.path == name || place.links.iter().any(|(link, _)| link == name))
    }

    /// The name to show.
    pub(super) fn name(&self) -> String {
        let place = self.places.first().map(|place| file_name(&place.path));
        self.elf
            .soname
            .as_deref()
            .or(place)
            .unwrap_or_default()
            .to_owned()
    }
}

/// Finds what `executable`, its loader at `interpreter` and `extra_libraries` need. The first of
/// the result is the executable itself, the second the loader.
pub(super) fn find(
    origin: &Origin<'_>,
    executable: ElfFile,
    interpreter: Candidate,
    extra_libraries: &[String],
) -> Result<Vec<Object>, RuntimeError> {
    let mut closure = Closure {
        origin,
        objects: Vec::new(),
        missing: Vec::new(),
    };
    closure.objects.push(Object {
        names: BTreeSet::new(),
        origin: None,
        parent: None,
        is_extra: false,
        needs_link: false,
        elf: executable,
        places: Vec::new(),
        links: BTreeSet::new(),
    });
    closure.load(interpreter, None, EXECUTABLE, false, false)?;
    closure.load_needed(EXECUTABLE)?;
    for name in extra_libraries {
        closure.require(name, EXECUTABLE, true)?;
    }
    let mut next = EXECUTABLE + 1;
    while next < closure.objects.len() {
        closure.load_needed(next)?;
        next += 1;
    }
    if !closure.missing.is_empty() {
        return Err(RuntimeError::MissingLibraries {
            own_search_paths: closure.own_search_paths(),
            root: origin.root.given().to_owned(),
            libraries: closure.missing,
        });
    }
    closure.check_versions()?;
    Ok(closure.objects)
}

struct Closure<'a> {
    origin: &'a Origin<'a>,
    objects: Vec<Object>,
    missing: Vec<MissingLibrary>,
}

/// A directory of a search path, and whether it was given relative to a library that itself is
/// found in the image only by a link.
struct SearchDirectory {
    directory: String,
    moved: bool,
}

impl Closure<'_> {
    fn load_needed(&mut self, user: usize) -> Result<(), RuntimeError> {
        let needed = self
            .object(user)
            .map_or_else(Vec::new, |object| object.elf.needed.clone());
        for name in needed {
            self.require(&name, user, false)?;
        }
        Ok(())
    }

    fn object(&self, index: usize) -> Option<&Object> {
        self.objects.get(index)
    }

    /// Makes sure that `name` is loaded on behalf of `user`.
    fn require(&mut self, name: &str, user: usize, is_extra: bool) -> Result<(), RuntimeError> {
        let is_loaded = self
            .objects
            .iter()
            .any(|object| object.names.contains(name));
        let is_c_library = self.origin.libc == Libc::Musl && search::is_musl_itself(name);
        if is_loaded || is_c_library {
            return Ok(());
        }
        if is_extra && name.contains('/') && !name.starts_with('/') {
            return Err(RuntimeError::ExtraLibrary(name.to_owned()));
        }
        let mut search = Search::default();
        let moved = self.search(name, user, &mut search)?;
        let Some(candidate) = search.found else {
            self.miss(name, user, is_extra, search.unfit);
            return Ok(());
        };
        self.load(candidate, Some(name), user, is_extra, moved)
    }

    fn load(
        &mut self,
        candidate: Candidate,
        name: Option<&str>,
        user: usize,
        is_extra: bool,
        needs_link: bool,
    ) -> Result<(), RuntimeError> {
        let link = self.link(name.unwrap_or_default(), &candidate, needs_link);
        let known = self.objects.iter_mut().find(|object| {
            object
                .places
                .iter()
                .any(|place| place.path == candidate.resolved.path)
        });
        if let Some(object) = known {
            object.names.extend(name.map(str::to_owned));
            object.places.push(candidate.resolved);
            object.links.extend(link);
            return Ok(());
        }
        if self.objects.len() >= MAX_OBJECTS {
            return Err(RuntimeError::TooMany {
                what: format!("libraries needed by `{}`", self.origin.service),
                limit: MAX_OBJECTS,
            });
        }
        let names = [name.map(str::to_owned), candidate.elf.soname.clone()];
        self.objects.push(Object {
            names: names.into_iter().flatten().collect(),
            origin: Some(directory_of(&candidate.path).to_owned()),
            parent: Some(user),
            is_extra,
            needs_link,
            elf: candidate.elf,
            places: vec![candidate.resolved],
            links: link.into_iter().collect(),
        });
        Ok(())
    }

    /// The link by which the loader finds a library that only `ld.so.conf` led to: images have no
    /// cache of it.
    fn link(&self, name: &str, candidate: &Candidate, needed: bool) -> Option<(String, String)> {
        let directory = self.origin.loader.link_directory()?;
        (needed && !name.contains('/')).then(|| {
            (
                format!("{directory}/{name}"),
                candidate.resolved.path.clone(),
            )
        })
    }

    /// Searches as the loader would; the result says whether the image needs a link for it.
    fn search(&self, name: &str, user: usize, search: &mut Search) -> Result<bool, RuntimeError> {
        let Origin { root, machine, .. } = self.origin;
        if name.contains('/') {
            if name.starts_with('/') {
                search::try_path(root, machine, name, search)?;
            }
            return Ok(false);
        }
        for SearchDirectory { directory, moved } in self.own_directories(user) {
            if search::try_path(root, machine, &format!("{directory}/{name}"), search)? {
                return Ok(moved);
            }
        }
        if self
            .object(user)
            .is_some_and(|object| object.elf.no_default_directories)
        {
            return Ok(false);
        }
        for directory in self.origin.directories.of(name) {
            if search::try_path(root, machine, &format!("{directory}/{name}"), search)? {
                return self.origin.loader.needs_link(root, directory);
            }
        }
        Ok(false)
    }

    /// What search paths in `user` and those that loaded it add: `DT_RPATH` of the whole line of
    /// users, unless the last one has a `DT_RUNPATH`, which counts for itself alone. musl makes no
    /// difference between the two, and inherits both.
    fn own_directories(&self, user: usize) -> Vec<SearchDirectory> {
        let mut directories = Vec::new();
        let has_runpath = |index| {
            self.object(index)
                .is_some_and(|object| object.elf.runpath.is_some())
        };
        let is_musl = self.origin.libc == Libc::Musl;
        if is_musl || !has_runpath(user) {
            for index in self.line_of(user) {
                let Some(object) = self.object(index) else {
                    break;
                };
                let path = match (&object.elf.runpath, &object.elf.rpath) {
                    (Some(runpath), _) if is_musl => runpath,
                    (None, Some(rpath)) => rpath,
                    _ => continue,
                };
                directories.extend(self.expand(path, object));
            }
        } else if let Some(object) = self.object(user) {
            let path = object.elf.runpath.as_deref().unwrap_or_default();
            directories.extend(self.expand(path, object));
        }
        directories
    }

    fn expand(&self, path: &str, object: &Object) -> Vec<SearchDirectory> {
        let tokens = Tokens {
            origin: object.origin.as_deref(),
            library: self.origin.loader.library_token(),
            platform: self.origin.machine.baseline,
        };
        path.split(':')
            .filter_map(|entry| {
                Some(SearchDirectory {
                    directory: search::expand(entry, tokens)?,
                    moved: object.needs_link && search::uses_origin(entry),
                })
            })
            .collect()
    }

    /// `user`, who loaded it, and so on up to the executable.
    fn line_of(&self, user: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(user), |index| {
            self.object(*index).and_then(|object| object.parent)
        })
    }

    fn miss(&mut self, name: &str, user: usize, is_extra: bool, unfit: Vec<String>) {
        let line: Vec<&Object> = self
            .line_of(user)
            .filter(|index| *index != EXECUTABLE)
            .filter_map(|index| self.object(index))
            .collect();
        let missing = MissingLibrary {
            name: name.to_owned(),
            service: self.origin.service.to_owned(),
            via: line.iter().rev().map(|object| object.name()).collect(),
            is_extra: is_extra || line.iter().any(|object| object.is_extra),
            unfit,
        };
        if !self.missing.iter().any(|known| known.name == missing.name) {
            self.missing.push(missing);
        }
    }

    fn own_search_paths(&self) -> Vec<String> {
        self.object(EXECUTABLE)
            .and_then(|object| object.elf.runpath.as_ref().or(object.elf.rpath.as_ref()))
            .map_or_else(Vec::new, |path| {
                let entries = path.split(':').filter(|entry| search::uses_origin(entry));
                entries.map(str::to_owned).collect()
            })
    }

    /// The loader refuses to start a program whose libraries lack a version that is needed. A
    /// library without any versions is accepted, with a warning at run time.
    fn check_versions(&self) -> Result<(), RuntimeError> {
        for (index, user) in self.objects.iter().enumerate() {
            for need in user.elf.needed_versions.iter().filter(|need| !need.weak) {
                let provider = self
                    .objects
                    .iter()
                    .find(|object| object.names.contains(&need.library));
                let Some(provider) = provider else { continue };
                let defined = &provider.elf.defined_versions;
                if !defined.is_empty() && !defined.contains(&need.version) {
                    return Err(RuntimeError::MissingVersion {
                        user: if index == EXECUTABLE {
                            self.origin.service.to_owned()
                        } else {
                            user.name()
                        },
                        version: need.version.clone(),
                        library: need.library.clone(),
                        path: provider
                            .places
                            .first()
                            .map(|place| place.path.clone())
                            .unwrap_or_default(),
                    });
                }
            }
        }
        Ok(())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
