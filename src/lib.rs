//! `cargo lighter`: ships the microservices of a Cargo workspace as minimal, reproducible OCI images,
//! without Docker.
//!
//! A lighter is a flat barge that unloads a ship where there is no dock. This one finds the services
//! of a workspace, compiles them, puts what each needs to run around its executable, and delivers the
//! images to registries and layouts on disk. It has no daemon, and asks only cargo, rustc and git.
//!
//! The program is [`cli::run`] and a `main` of three lines. The library exists so that everything can
//! be run inside a test; its interface follows the program and may change with every release.
//!
//! # Flow
//!
//! Each arrow is one function whose result is one immutable value. What can be decided is decided
//! before anything is compiled, as a [`plan::Plan`] that can be printed.
//!
//! ```text
//! workspace::discover ── Workspace ── config::resolve ── Config ── plan::make ── Plan
//!                                                                                 │
//!                                              pipeline::check: all that would fail later
//!                                                                                 │
//! pipeline::run, for each service:                                                ▼
//!   compile::run ── Artifact ── runtime::find ── RuntimeFiles ── layer::build ── Layer
//!                                                                                 │
//!                                                       image::assemble ── Image ◂┘
//!                                                                            │
//!                                            Destination::store ── Stored ◂──┘
//! when every manifest is stored:             Destination::tag ── Tagged
//! at the end:                                report::Summary
//! ```
//!
//! Beside it, from a workspace, its configuration and its plan:
//!
//! ```text
//! split::Sources ── split::split ── Split ── split::write: a standalone workspace on disk
//!                                     │
//!                       pipeline::keys: what every room knows of the inputs ── Key
//!                                     │
//! since::compare ── Comparison ── pipeline::affected: the same at the merge base ── Affected
//!                                                                                  │
//!                     Plan of the affected services, or pipeline::Reuse: what keeps its image
//! ```
//!
//! The other way round, from a Dockerfile that a service has already:
//!
//! ```text
//! adopt::propose ── Proposal: a table, and what it cannot say ── adopt::edit ── Edited manifest
//! ```
//!
//! Compilations follow one another, because cargo locks its target directory; other services are
//! assembled and delivered meanwhile.
//!
//! # Rooms
//!
//! Every top-level module is a room, and may import only rooms above it in this table. `split`,
//! `compile`, `layer` and `registry` never import each other, `ui` imports only words and `process`,
//! no room hands out another's items. `tests/architecture.rs` holds the order and these rules.
//!
//! | room | holds |
//! |---|---|
//! | [`hint`] | a word: what an error suggests to do next, and to install |
//! | [`digest`] | a word: SHA-256 digests, and the writer that computes one |
//! | [`reference`](mod@reference) | a word: names of images and tags, and how services are mapped to them |
//! | [`oci`] | words: the image specification's documents as they are written and hashed |
//! | [`fs`] | words: files written whole or not at all, sorted walks, trees of an image |
//! | [`report`] | words: events, the summary, time, text that is fit for a terminal |
//! | [`template`] | strict patterns such as `{repo}/{service}` |
//! | [`process`] | child programs: time limits, capped output, interrupts |
//! | [`cargo`] | what cargo says: metadata, effective configuration, toolchain, builds |
//! | [`workspace`] | services and their closures |
//! | [`config`] | layers of configuration, and the validated [`config::Config`] |
//! | [`plan`] | what will be done, as data |
//! | [`adopt`] | from a Dockerfile to a configuration |
//! | [`split`] | a service's standalone workspace, and the key of its inputs |
//! | [`since`] | what git knows |
//! | [`compile`] | from a plan to executables |
//! | [`runtime`] | what an executable needs around it: libraries, certificates, users |
//! | [`store`] | content-addressed blobs on disk |
//! | [`layer`] | files to deterministic tars, compressed, both digests in one pass |
//! | [`medium`] | image layouts and archives, read and written |
//! | [`registry`] | the only asynchronous room: client, credentials, retries, uploads |
//! | [`source`] | where images are read from: registries, layouts, archives, programs that keep images |
//! | [`image`] | layers and settings to an image; the checker |
//! | [`destination`] | one file for each kind of place that takes images |
//! | [`inspect`] | what images are made of, what violates the specification, in what two differ |
//! | [`pipeline`] | the order of things, and what runs beside what |
//! | [`doctor`] | what the services need on this machine and it has not |
//! | [`ui`] | the only place that prints: console and JSON lines |
//! | [`cli`] | what can be typed; one file for each command; exit codes |
//!
//! # Recipes
//!
//! **A new destination.** Add its form to [`destination::Spec`] and its syntax to
//! [`destination::parse`]; write one file in `src/destination/` that implements
//! [`destination::Destination`] ([`OciLayout`](destination::OciLayout) is the shortest to read); open
//! it in `open` of `src/cli/destinations.rs`. `store` must leave nothing that a tag can
//! reach, because no tag of a run moves before every manifest of the run is stored. A place that takes
//! all images of a run in one piece waits for `complete` ([`Archive`](destination::Archive)).
//!
//! **A new form of images to read.** Add it to [`source::ImageSpec`] and its syntax to
//! [`source::parse`]; write one file in `src/source/` that turns it into a layout on disk, and call it in
//! [`source::Sources::place`]. All that looks into images reads layouts.
//!
//! **A new command.** Write one file in `src/cli/commands/` with an `Arguments` struct for clap and a
//! function `run(&Context, &Arguments) -> Result<Exit, Failure>`; add a variant to `Command` in
//! `src/cli/arguments.rs` and an arm to `dispatch` in `src/cli/run.rs`. Commands that plan flatten
//! `PlanArguments`. Data goes to `context.console.data`, all else through events.
//!
//! **A new key.** Add a row to the table in [`config::keys`]; a field to
//! [`config::ServiceConfig`] with the function that reads it (`src/config/values.rs` and its
//! neighbours have those of most types); a flag, if it deserves one, to `src/cli/arguments.rs`,
//! [`config::Overrides`] and `overrides` of `src/cli/context.rs`. Its variable, the hints about
//! misspelt names, `plan -v` and the table in the README come from the row; a test says so when the
//! README lacks it.
//!
//! **A new placeholder.** Name it in [`config::NAME_PLACEHOLDERS`] or [`config::TAG_PLACEHOLDERS`]
//! and give it a value where the [`template::Pattern`] is rendered: for names in
//! `src/config/resolve.rs`, for tags in [`plan::PlannedService::tags`].
//!
//! **A new macro that names files.** Add a row to the table in `src/split/scan/table.rs`: its name, what
//! its paths are relative to, and what it expects there.
//!
//! **A new crate that needs something of the system.** Add a row to the table in `src/doctor/table.rs`:
//! what it needs and when, and what that is called on each system.
//!
//! **A new input of keys.** Add an [`split::Ingredient`] in `src/pipeline/ingredients.rs`, with a value
//! that is the same in every checkout; tests name what must and what must not change a key.
//!
//! **A new fault of registries.** Add a row to a table in `tests/it/registry_faults/`: an id, what goes
//! wrong and when, and what shall come of it. What the registry of the tests can do is in
//! `tests/support/fault.rs`; what follows an outcome of an upload is decided in `src/registry/course.rs`,
//! which requests are repeated in `src/registry/retry.rs`.
//!
//! **A new event.** Add a variant to [`report::Event`], and say in `src/ui/console.rs` and
//! `src/ui/json.rs` how it looks.
//!
//! **A new error.** An enum with `thiserror` that implements [`hint::Hint`]: the message names what is
//! wrong, the hint what to type next.

pub mod hint;

pub mod digest;

pub mod reference;

pub mod oci;

pub mod fs;

pub mod report;

pub mod template;

pub mod process;

pub mod cargo;

pub mod workspace;

pub mod config;

pub mod plan;

pub mod adopt;

pub mod split;

pub mod since;

pub mod compile;

pub mod runtime;

pub mod store;

pub mod layer;

pub mod medium;

pub mod registry;

pub mod source;

pub mod image;

pub mod destination;

pub mod inspect;

pub mod pipeline;

pub mod doctor;

pub mod ui;

pub mod cli;
