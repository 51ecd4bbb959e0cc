//! Symbol versions: what a file needs of others, and what it offers (Linux Standard Base, "Symbol
//! Versioning").

use object::elf::{Verdaux, Verdef, Vernaux, Verneed};
use object::{Endianness, ReadRef};

use super::error::ElfError;
use super::file::NeededVersion;
use super::parse::Strings;

/// Of needed and of defined versions, each. glibc defines some fifty.
const MAX_VERSIONS: usize = 8192;
const VER_FLG_WEAK: u16 = 2;
const NEEDED: &str = "table of needed versions";
const DEFINED: &str = "table of defined versions";
/// glibc stands for "2.36 or newer" by this name, which linkers add for packed relocations.
const PACKED_RELOCATIONS: (&str, &[u32]) = ("GLIBC_ABI_DT_RELR", &[2, 36]);

/// Walks chains of records that each say how far the next one is, within the limits.
struct Walk<R> {
    data: R,
    offset: u64,
    part: &'static str,
}

impl<'data, R: ReadRef<'data>> Walk<R> {
    fn record<T: object::Pod>(&self) -> Result<&'data T, ElfError> {
        self.data
            .read_at(self.offset)
            .map_err(|()| ElfError::Broken { part: self.part })
    }

    fn at(&self, distance: u32) -> Result<Self, ElfError> {
        Ok(Self {
            offset: self
                .offset
                .checked_add(distance.into())
                .ok_or(ElfError::Broken { part: self.part })?,
            ..*self
        })
    }
}

fn check_count(length: usize) -> Result<(), ElfError> {
    if length > MAX_VERSIONS {
        return Err(ElfError::Limit {
            what: "symbol versions",
            limit: MAX_VERSIONS,
        });
    }
    Ok(())
}

pub(super) fn needed<'data, R: ReadRef<'data>>(
    data: R,
    endian: Endianness,
    offset: u64,
    count: u64,
    strings: &Strings<R>,
) -> Result<Vec<NeededVersion>, ElfError> {
    let mut found = Vec::new();
    let mut walk = Walk {
        data,
        offset,
        part: NEEDED,
    };
    for files in 0..count {
        check_count(usize::try_from(files).unwrap_or(usize::MAX))?;
        let file: &Verneed<Endianness> = walk.record()?;
        let library = strings.get(file.vn_file.get(endian).into(), NEEDED)?;
        let mut version_walk = walk.at(file.vn_aux.get(endian))?;
        for _ in 0..file.vn_cnt.get(endian) {
            let version: &Vernaux<Endianness> = version_walk.record()?;
            found.push(NeededVersion {
                library: library.clone(),
                version: strings.get(version.vna_name.get(endian).into(), NEEDED)?,
                weak: version.vna_flags.get(endian).0 & VER_FLG_WEAK != 0,
            });
            check_count(found.len())?;
            match version.vna_next.get(endian) {
                0 => break,
                distance => version_walk = version_walk.at(distance)?,
            }
        }
        match file.vn_next.get(endian) {
            0 => break,
            distance => walk = walk.at(distance)?,
        }
    }
    Ok(found)
}

pub(super) fn defined<'data, R: ReadRef<'data>>(
    data: R,
    endian: Endianness,
    offset: u64,
    count: u64,
    strings: &Strings<R>,
) -> Result<Vec<String>, ElfError> {
    let mut found = Vec::new();
    let mut walk = Walk {
        data,
        offset,
        part: DEFINED,
    };
    for _ in 0..count {
        let definition: &Verdef<Endianness> = walk.record()?;
        let name: &Verdaux<Endianness> = walk.at(definition.vd_aux.get(endian))?.record()?;
        found.push(strings.get(name.vda_name.get(endian).into(), DEFINED)?);
        check_count(found.len())?;
        match definition.vd_next.get(endian) {
            0 => break,
            distance => walk = walk.at(distance)?,
        }
    }
    Ok(found)
}

/// The newest of glibc's versions among `versions`, compared number by number.
pub(super) fn newest_glibc<'a>(versions: impl Iterator<Item = &'a str>) -> Option<String> {
    let newest = versions.filter_map(glibc_version).max()?;
    let numbers: Vec<String> = newest.iter().map(u32::to_string).collect();
    Some(format!("GLIBC_{}", numbers.join(".")))
}

fn glibc_version(version: &str) -> Option<Vec<u32>> {
    if version == PACKED_RELOCATIONS.0 {
        return Some(PACKED_RELOCATIONS.1.to_vec());
    }
    version
        .strip_prefix("GLIBC_")?
        .split('.')
        .map(|number| number.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        let newest = |versions: &[&str]| newest_glibc(versions.iter().copied());
        assert_eq!(
            newest(&["GLIBC_2.9", "GLIBC_2.34", "GLIBC_2.2.5", "GCC_99.0"]).as_deref(),
            Some("GLIBC_2.34")
        );
        assert_eq!(
            newest(&["GLIBC_ABI_DT_RELR", "GLIBC_2.4"]).as_deref(),
            Some("GLIBC_2.36")
        );
        assert_eq!(newest(&["GLIBC_PRIVATE", "GLIBC_", "OPENSSL_3.0.0"]), None);
    }
}
