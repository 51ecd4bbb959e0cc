//! What crates need that cargo does not bring: one row each.
//!
//! Crates that build their own copy of a library where the system has none (`libz-sys`, `libgit2-sys`,
//! `libssh2-sys`, `curl-sys`, `zstd-sys`) have rows only for the variable or feature that forbids it; that
//! they need a C compiler follows from their use of `cc`.

use crate::hint::Packages;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Probe {
    /// A program on PATH.
    Program(&'static str),
    /// A library that pkg-config knows by one of these names.
    Library(&'static [&'static str]),
    /// A C compiler for what the crate is compiled for.
    Compiler,
    /// libclang, which bindgen loads.
    Clang,
}

/// When a crate needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Always,
    /// Unless one of these features is on.
    Without(&'static [&'static str]),
    /// Only if one of these features is on.
    With(&'static [&'static str]),
    /// Only if this variable is set.
    Variable(&'static str),
}

/// One crate, and one thing that it needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// The crate.
    pub(super) krate: &'static str,
    pub(super) when: When,
    pub(super) probe: Probe,
    /// Variables with which the crate is told where the thing is.
    pub(super) told_by: &'static [&'static str],
    /// Crates that use this one and can do without the thing.
    pub(super) not_for: &'static [&'static str],
    /// Crates that bring the thing along.
    pub(super) not_beside: &'static [&'static str],
    /// Whether the crate is a tool: then those that use it are named.
    pub(super) is_tool: bool,
    pub(super) packages: Packages<'static>,
}

const PLAIN: Row = Row {
    krate: "",
    when: When::Always,
    probe: Probe::Compiler,
    told_by: &[],
    not_for: &[],
    not_beside: &[],
    is_tool: false,
    packages: packages("", "", "", ""),
};

const fn packages(
    debian: &'static str,
    alpine: &'static str,
    fedora: &'static str,
    homebrew: &'static str,
) -> Packages<'static> {
    Packages {
        debian,
        alpine,
        fedora,
        homebrew,
    }
}

const fn program(krate: &'static str, name: &'static str, packages: Packages<'static>) -> Row {
    Row {
        krate,
        probe: Probe::Program(name),
        packages,
        ..PLAIN
    }
}

const fn library(
    krate: &'static str,
    names: &'static [&'static str],
    when: When,
    packages: Packages<'static>,
) -> Row {
    Row {
        krate,
        when,
        probe: Probe::Library(names),
        packages,
        ..PLAIN
    }
}

const CMAKE: Packages<'static> = packages("cmake", "cmake", "cmake", "cmake");
const MAKE: Packages<'static> = packages("make", "make", "make", "make");
const PERL: Packages<'static> = packages("perl", "perl", "perl-core", "perl");
const VENDORED: When = When::Without(&["vendored"]);
const BUNDLED: When = When::Without(&["bundled"]);

/// Programs that build scripts run.
const PROGRAMS: &[Row] = &[
    Row {
        krate: "cc",
        is_tool: true,
        ..PLAIN
    },
    Row {
        told_by: &["PROTOC"],
        not_beside: &["protoc-bin-vendored", "protobuf-src", "protox"],
        is_tool: true,
        ..program(
            "prost-build",
            "protoc",
            packages(
                "protobuf-compiler",
                "protoc protobuf-dev",
                "protobuf-compiler",
                "protobuf",
            ),
        )
    },
    Row {
        told_by: &["CMAKE"],
        // It compiles by itself where it knows the target.
        not_for: &["aws-lc-sys"],
        is_tool: true,
        ..program("cmake", "cmake", CMAKE)
    },
    program(
        "aws-lc-fips-sys",
        "go",
        packages("golang-go", "go", "golang", "go"),
    ),
    program("aws-lc-fips-sys", "perl", PERL),
    Row {
        is_tool: true,
        ..program("openssl-src", "perl", PERL)
    },
    Row {
        is_tool: true,
        ..program("openssl-src", "make", MAKE)
    },
    Row {
        is_tool: true,
        ..program(
            "autotools",
            "autoreconf",
            packages(
                "autoconf automake libtool",
                "autoconf automake libtool",
                "autoconf automake libtool",
                "autoconf automake libtool",
            ),
        )
    },
    program("tikv-jemalloc-sys", "make", MAKE),
    program("jemalloc-sys", "make", MAKE),
    Row {
        when: When::Without(&["cmake-build", "dynamic-linking"]),
        ..program("rdkafka-sys", "make", MAKE)
    },
    Row {
        krate: "bindgen",
        probe: Probe::Clang,
        told_by: &["LIBCLANG_PATH", "LIBCLANG_STATIC_PATH", "LLVM_CONFIG_PATH"],
        is_tool: true,
        packages: packages("libclang-dev", "clang-dev", "clang-devel", "llvm"),
        ..PLAIN
    },
];

/// Libraries that crates link.
const LIBRARIES: &[Row] = &[
    Row {
        told_by: &["OPENSSL_DIR", "OPENSSL_LIB_DIR"],
        ..library(
            "openssl-sys",
            &["openssl"],
            VENDORED,
            packages("libssl-dev", "openssl-dev", "openssl-devel", "openssl@3"),
        )
    },
    Row {
        told_by: &["PQ_LIB_DIR"],
        ..library(
            "pq-sys",
            &["libpq"],
            When::Without(&["bundled", "bundled_without_openssl"]),
            packages("libpq-dev", "libpq-dev", "libpq-devel", "libpq"),
        )
    },
    Row {
        told_by: &["SQLITE3_LIB_DIR"],
        ..library(
            "libsqlite3-sys",
            &["sqlite3", "sqlcipher"],
            When::Without(&[
                "bundled",
                "bundled-sqlcipher",
                "bundled-sqlcipher-vendored-openssl",
                "loadable_extension",
            ]),
            packages("libsqlite3-dev", "sqlite-dev", "sqlite-devel", "sqlite"),
        )
    },
    Row {
        told_by: &["MYSQLCLIENT_LIB_DIR", "MYSQLCLIENT_LIB_DIR"],
        ..library(
            "mysqlclient-sys",
            &["mysqlclient", "mariadb", "libmariadb"],
            BUNDLED,
            packages(
                "default-libmysqlclient-dev",
                "mariadb-connector-c-dev",
                "mariadb-connector-c-devel",
                "mysql-client",
            ),
        )
    },
    library(
        "rdkafka-sys",
        &["rdkafka"],
        When::With(&["dynamic-linking"]),
        packages(
            "librdkafka-dev",
            "librdkafka-dev",
            "librdkafka-devel",
            "librdkafka",
        ),
    ),
    library(
        "sasl2-sys",
        &["libsasl2"],
        VENDORED,
        packages(
            "libsasl2-dev",
            "cyrus-sasl-dev",
            "cyrus-sasl-devel",
            "cyrus-sasl",
        ),
    ),
    library(
        "libgssapi-sys",
        &["krb5-gssapi", "mit-krb5-gssapi"],
        When::Always,
        packages("libkrb5-dev", "krb5-dev", "krb5-devel", "krb5"),
    ),
    library(
        "libgit2-sys",
        &["libgit2"],
        When::Variable("LIBGIT2_NO_VENDOR"),
        packages("libgit2-dev", "libgit2-dev", "libgit2-devel", "libgit2"),
    ),
    library(
        "libssh2-sys",
        &["libssh2"],
        When::Variable("LIBSSH2_SYS_USE_PKG_CONFIG"),
        packages("libssh2-1-dev", "libssh2-dev", "libssh2-devel", "libssh2"),
    ),
    library(
        "zstd-sys",
        &["libzstd"],
        When::With(&["pkg-config"]),
        packages("libzstd-dev", "zstd-dev", "libzstd-devel", "zstd"),
    ),
    library(
        "zstd-sys",
        &["libzstd"],
        When::Variable("ZSTD_SYS_USE_PKG_CONFIG"),
        packages("libzstd-dev", "zstd-dev", "libzstd-devel", "zstd"),
    ),
    library(
        "libsodium-sys",
        &["libsodium"],
        When::With(&["use-pkg-config"]),
        packages(
            "libsodium-dev",
            "libsodium-dev",
            "libsodium-devel",
            "libsodium",
        ),
    ),
    library(
        "libsodium-sys-stable",
        &["libsodium"],
        When::With(&["use-pkg-config"]),
        packages(
            "libsodium-dev",
            "libsodium-dev",
            "libsodium-devel",
            "libsodium",
        ),
    ),
    library(
        "zmq-sys",
        &["libzmq"],
        VENDORED,
        packages("libzmq3-dev", "zeromq-dev", "zeromq-devel", "zeromq"),
    ),
    library(
        "libdbus-sys",
        &["dbus-1"],
        VENDORED,
        packages("libdbus-1-dev", "dbus-dev", "dbus-devel", "dbus"),
    ),
    library(
        "libudev-sys",
        &["libudev"],
        When::Always,
        packages("libudev-dev", "eudev-dev", "systemd-devel", ""),
    ),
    library(
        "libsystemd-sys",
        &["libsystemd"],
        When::Always,
        packages("libsystemd-dev", "", "systemd-devel", ""),
    ),
    library(
        "libseccomp-sys",
        &["libseccomp"],
        When::Always,
        packages("libseccomp-dev", "libseccomp-dev", "libseccomp-devel", ""),
    ),
    library(
        "alsa-sys",
        &["alsa"],
        When::Always,
        packages("libasound2-dev", "alsa-lib-dev", "alsa-lib-devel", ""),
    ),
    library(
        "nettle-sys",
        &["nettle"],
        When::Always,
        packages("nettle-dev", "nettle-dev", "nettle-devel", "nettle"),
    ),
    library(
        "tss-esapi-sys",
        &["tss2-sys"],
        When::Without(&["bundled"]),
        packages("libtss2-dev", "tpm2-tss-dev", "tpm2-tss-devel", ""),
    ),
    library(
        "libxml",
        &["libxml-2.0"],
        When::Always,
        packages("libxml2-dev", "libxml2-dev", "libxml2-devel", "libxml2"),
    ),
    library(
        "glib-sys",
        &["glib-2.0"],
        When::Always,
        packages("libglib2.0-dev", "glib-dev", "glib2-devel", "glib"),
    ),
    library(
        "gstreamer-sys",
        &["gstreamer-1.0"],
        When::Always,
        packages(
            "libgstreamer1.0-dev",
            "gstreamer-dev",
            "gstreamer1-devel",
            "gstreamer",
        ),
    ),
    library(
        "yeslogic-fontconfig-sys",
        &["fontconfig"],
        When::Without(&["dlopen"]),
        packages(
            "libfontconfig-dev",
            "fontconfig-dev",
            "fontconfig-devel",
            "fontconfig",
        ),
    ),
    library(
        "geos-sys",
        &["geos"],
        When::Without(&["static"]),
        packages("libgeos-dev", "geos-dev", "geos-devel", "geos"),
    ),
    library(
        "gdal-sys",
        &["gdal"],
        BUNDLED,
        packages("libgdal-dev", "gdal-dev", "gdal-devel", "gdal"),
    ),
    library(
        "ffmpeg-sys-next",
        &["libavcodec"],
        When::Without(&["build"]),
        packages(
            "libavcodec-dev libavformat-dev libavutil-dev libavfilter-dev libavdevice-dev libswscale-dev",
            "ffmpeg-dev",
            "ffmpeg-free-devel",
            "ffmpeg",
        ),
    ),
];

/// All rows.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    PROGRAMS.iter().chain(LIBRARIES)
}

/// The program that answers for libraries.
pub(super) const PKG_CONFIG: Packages<'static> =
    packages("pkg-config", "pkgconf", "pkgconf-pkg-config", "pkgconf");
