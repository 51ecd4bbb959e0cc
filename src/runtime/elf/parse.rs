//! Reading an ELF file through its program headers.

use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use object::{Endianness, ReadRef};

use super::error::ElfError;
use super::file::{ElfFile, FileKind};
use super::versions;

const MAX_PROGRAM_HEADERS: u16 = 1024;
const MAX_DYNAMIC_BYTES: u64 = 1024 * 1024;
const MAX_INTERPRETER_BYTES: u64 = 4096;
const MAX_NEEDED: usize = 1024;
/// Length of the identification in front of every ELF header.
const IDENT: u64 = 16;
/// Where the identification says whether the file is 32-bit or 64-bit.
const IDENT_CLASS: usize = 4;

pub(super) fn parse<'data, R: ReadRef<'data>>(data: R) -> Result<ElfFile, ElfError> {
    let ident = data
        .read_bytes_at(0, IDENT)
        .map_err(|()| ElfError::NotElf)?;
    match ident.get(IDENT_CLASS) {
        Some(1) => parse_class::<FileHeader32<Endianness>, R>(data),
        Some(2) => parse_class::<FileHeader64<Endianness>, R>(data),
        _ => Err(ElfError::NotElf),
    }
}

fn parse_class<'data, Elf, R>(data: R) -> Result<ElfFile, ElfError>
where
    Elf: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let header = Elf::parse(data).map_err(|_| ElfError::NotElf)?;
    let endian = header.endian().map_err(|_| ElfError::NotElf)?;
    let segments = segments(header, endian, data)?;
    let kind = match header.e_type(endian) {
        elf::ET_EXEC => FileKind::FixedExecutable,
        elf::ET_DYN => FileKind::Shared,
        other => FileKind::Other(other.0),
    };
    let mut file = ElfFile {
        wide: header.is_type_64(),
        little_endian: header.is_little_endian(),
        machine: header.e_machine(endian).0,
        os_abi: header.e_ident().os_abi.0,
        kind,
        entry: header.e_entry(endian).into(),
        interpreter: interpreter::<Elf, R>(segments, endian, data)?,
        needed: Vec::new(),
        soname: None,
        rpath: None,
        runpath: None,
        no_default_directories: false,
        needed_versions: Vec::new(),
        defined_versions: Vec::new(),
    };
    if let Some(dynamic) = DynamicTable::read::<Elf>(segments, endian, data)? {
        dynamic.fill::<Elf>(&mut file, segments, endian, data)?;
    }
    Ok(file)
}

fn segments<'data, Elf, R>(
    header: &'data Elf,
    endian: Endianness,
    data: R,
) -> Result<&'data [Elf::ProgramHeader], ElfError>
where
    Elf: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    // A larger number hides in a section header (PN_XNUM), and only core dumps have that many.
    if header.e_phnum(endian) > MAX_PROGRAM_HEADERS {
        return Err(ElfError::Limit {
            what: "program headers",
            limit: MAX_PROGRAM_HEADERS.into(),
        });
    }
    header
        .program_headers(endian, data)
        .map_err(|_| ElfError::Broken {
            part: "program headers",
        })
}

fn interpreter<'data, Elf, R>(
    segments: &[Elf::ProgramHeader],
    endian: Endianness,
    data: R,
) -> Result<Option<String>, ElfError>
where
    Elf: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    const PART: &str = "program loader's name";
    let Some(segment) = segments
        .iter()
        .find(|segment| segment.p_type(endian) == elf::PT_INTERP)
    else {
        return Ok(None);
    };
    if segment.p_filesz(endian).into() > MAX_INTERPRETER_BYTES {
        return Err(ElfError::Broken { part: PART });
    }
    let name = segment
        .interpreter(endian, data)
        .ok()
        .flatten()
        .ok_or(ElfError::Broken { part: PART })?;
    text(name, PART).map(Some)
}

/// A name that others are found by: it must be text, or it would be changed on its way.
pub(super) fn text(bytes: &[u8], part: &'static str) -> Result<String, ElfError> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => Ok(text.to_owned()),
        _ => Err(ElfError::Broken { part }),
    }
}

/// Where in the file the byte is that is loaded at `address`.
pub(super) fn file_offset<Elf>(
    segments: &[Elf::ProgramHeader],
    endian: Endianness,
    address: u64,
) -> Option<u64>
where
    Elf: FileHeader<Endian = Endianness>,
{
    segments
        .iter()
        .filter(|segment| segment.p_type(endian) == elf::PT_LOAD)
        .find_map(|segment| {
            let within = address.checked_sub(segment.p_vaddr(endian).into())?;
            let (offset, size) = segment.file_range(endian);
            (within < size)
                .then(|| offset.checked_add(within))
                .flatten()
        })
}

/// Strings of the dynamic segment.
#[derive(Clone, Copy)]
pub(super) struct Strings<R> {
    data: R,
    offset: u64,
    end: u64,
}

impl<'data, R: ReadRef<'data>> Strings<R> {
    /// The string at `index`; the reader refuses those beyond 4 KiB.
    pub(super) fn get(&self, index: u64, part: &'static str) -> Result<String, ElfError> {
        let broken = ElfError::Broken { part };
        let start = self.offset.checked_add(index).ok_or(broken.clone())?;
        if start >= self.end {
            return Err(broken);
        }
        let bytes = self
            .data
            .read_bytes_at_until(start..self.end, 0)
            .map_err(|()| broken)?;
        text(bytes, part)
    }
}

/// Entries of the dynamic segment up to its end mark.
struct DynamicTable {
    entries: Vec<(elf::DynamicTag, u64)>,
}

impl DynamicTable {
    fn read<'data, Elf>(
        segments: &[Elf::ProgramHeader],
        endian: Endianness,
        data: impl ReadRef<'data>,
    ) -> Result<Option<Self>, ElfError>
    where
        Elf: FileHeader<Endian = Endianness>,
    {
        const BROKEN: ElfError = ElfError::Broken {
            part: "dynamic segment",
        };
        let Some(segment) = segments
            .iter()
            .find(|segment| segment.p_type(endian) == elf::PT_DYNAMIC)
        else {
            return Ok(None);
        };
        if segment.p_filesz(endian).into() > MAX_DYNAMIC_BYTES {
            return Err(BROKEN);
        }
        let entries = segment
            .dynamic(endian, data)
            .ok()
            .flatten()
            .ok_or(BROKEN)?
            .iter()
            .map(|entry| (entry.tag(endian), entry.val(endian)))
            .take_while(|(tag, _)| *tag != elf::DT_NULL)
            .collect();
        Ok(Some(Self { entries }))
    }

    fn value(&self, wanted: elf::DynamicTag) -> Option<u64> {
        self.entries
            .iter()
            .find(|(tag, _)| *tag == wanted)
            .map(|(_, value)| *value)
    }

    fn fill<'data, Elf>(
        &self,
        file: &mut ElfFile,
        segments: &[Elf::ProgramHeader],
        endian: Endianness,
        data: impl ReadRef<'data>,
    ) -> Result<(), ElfError>
    where
        Elf: FileHeader<Endian = Endianness>,
    {
        const STRINGS: ElfError = ElfError::Broken {
            part: "dynamic strings",
        };
        let offset_of =
            |tag| Some(file_offset::<Elf>(segments, endian, self.value(tag)?)).flatten();
        let strings = match offset_of(elf::DT_STRTAB) {
            Some(offset) => Strings {
                data,
                offset,
                end: offset
                    .checked_add(self.value(elf::DT_STRSZ).ok_or(STRINGS)?)
                    .ok_or(STRINGS)?,
            },
            None if self.names_nothing() => return Ok(()),
            None => return Err(STRINGS),
        };
        for (tag, value) in &self.entries {
            match *tag {
                elf::DT_NEEDED => file
                    .needed
                    .push(strings.get(*value, "names of needed libraries")?),
                elf::DT_SONAME => file.soname = Some(strings.get(*value, "soname")?),
                elf::DT_RPATH => file.rpath = Some(strings.get(*value, "rpath")?),
                elf::DT_RUNPATH => file.runpath = Some(strings.get(*value, "runpath")?),
                elf::DT_FLAGS_1 => {
                    file.no_default_directories = value & elf::DF_1_NODEFLIB.0 != 0;
                }
                _ => {}
            }
            if file.needed.len() > MAX_NEEDED {
                return Err(ElfError::Limit {
                    what: "needed libraries",
                    limit: MAX_NEEDED,
                });
            }
        }
        if let Some(offset) = offset_of(elf::DT_VERNEED) {
            let count = self.value(elf::DT_VERNEEDNUM).unwrap_or(0);
            file.needed_versions = versions::needed(data, endian, offset, count, &strings)?;
        }
        if let Some(offset) = offset_of(elf::DT_VERDEF) {
            let count = self.value(elf::DT_VERDEFNUM).unwrap_or(0);
            file.defined_versions = versions::defined(data, endian, offset, count, &strings)?;
        }
        Ok(())
    }

    fn names_nothing(&self) -> bool {
        [
            elf::DT_NEEDED,
            elf::DT_SONAME,
            elf::DT_RPATH,
            elf::DT_RUNPATH,
        ]
        .into_iter()
        .all(|tag| self.value(tag).is_none())
    }
}
