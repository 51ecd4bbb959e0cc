//! A scenario: faults, and what shall come of a push.

use std::fmt::Write as _;
use std::time::Duration;

use cargo_lighter::destination::DestinationError;
use cargo_lighter::hint::Hint as _;
use cargo_lighter::registry::RegistryError;

use super::stage::Stage;
use super::{peers, table};
use crate::fault_registry::{Exchange, Fault, Guard, Origin, Scopes, Settings};

/// What no other origin may see. That nothing of it is told is the business of [`super::told`].
const SECRETS: [&str; 3] = ["secret", "bWU6c2VjcmV0", "token-sentinel"];

/// What was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// The same image under the same tag.
    Same,
    /// Another image under the same tag.
    Other,
}

type Judge = fn(&RegistryError) -> bool;
type Look = fn(&Stage) -> Result<(), String>;

/// One row of the table.
pub(super) struct Scenario {
    pub(super) id: String,
    pub(super) faults: Vec<Fault>,
    pub(super) traps: Vec<Fault>,
    pub(super) settings: Settings,
    pub(super) login: Option<&'static str>,
    services: &'static [&'static str],
    before: Before,
    one_upload: bool,
    impatient: bool,
    fails: Option<Judge>,
    /// Whether it does not matter how the push ends.
    either: bool,
    looks: Vec<Look>,
    waits: (u64, u64),
}

/// A scenario in which the image is stored in the end.
pub(super) fn scenario(id: impl Into<String>) -> Scenario {
    Scenario {
        id: id.into(),
        faults: Vec::new(),
        traps: Vec::new(),
        settings: Settings::default(),
        login: Some("me:secret"),
        services: &["orders"],
        before: Before::Nothing,
        one_upload: false,
        impatient: false,
        fails: None,
        either: false,
        looks: Vec::new(),
        waits: (0, u64::MAX),
    }
}

impl Scenario {
    pub(super) fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// A fault that waits for whoever comes, and need not happen.
    pub(super) fn greedy(mut self, fault: Fault) -> Self {
        self.traps.push(fault);
        self
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// A registry with a token service whose tokens live so long.
    pub(super) fn tokens(self, seconds: u64) -> Self {
        let scopes = Scopes::All;
        self.with(|settings| settings.guard = Guard::Bearer { seconds, scopes })
    }

    pub(super) fn login(mut self, login: Option<&'static str>) -> Self {
        self.login = login;
        self
    }

    /// Two services that share a layer.
    pub(super) fn two_services(mut self) -> Self {
        self.services = &["orders", "users"];
        self
    }

    pub(super) fn pushed_before(mut self) -> Self {
        self.before = Before::Same;
        self
    }

    pub(super) fn other_before(mut self) -> Self {
        self.before = Before::Other;
        self
    }

    /// All but the largest layer is there before, so that what happens to uploads happens to a single one.
    /// Other programs have images of their own, and send all of them.
    pub(super) fn one_upload(mut self) -> Self {
        self.one_upload = true;
        self
    }

    pub(super) fn impatient(mut self) -> Self {
        self.impatient = true;
        self
    }

    /// The push fails with an error that `judge` likes.
    pub(super) fn fails(mut self, judge: Judge) -> Self {
        self.fails = Some(judge);
        self
    }

    /// It does not matter how the push ends.
    pub(super) fn either(mut self) -> Self {
        self.either = true;
        self
    }

    /// Afterwards `look` finds what it expects.
    pub(super) fn then(mut self, look: Look) -> Self {
        self.looks.push(look);
        self
    }

    /// The client waited for so many seconds of the clock.
    pub(super) fn waits(mut self, least: u64, most: u64) -> Self {
        self.waits = (least, most);
        self
    }

    /// Whether another program can be given it: one image, and nothing there before.
    pub(super) fn is_for_peers(&self) -> bool {
        self.services.len() == 1 && self.before == Before::Nothing
    }

    /// What is right: to survive, to refuse, or either.
    pub(super) fn aim(&self) -> &'static str {
        match (self.either, self.fails) {
            (true, _) => "either",
            (false, Some(_)) => "refuse",
            (false, None) => "survive",
        }
    }

    /// What is wrong, if anything.
    fn play(self) -> Result<(), String> {
        let mut stage = Stage::new(self.settings, self.login);
        if self.impatient {
            stage = stage.impatient();
        }
        let image = stage.image(1);
        let before = match self.before {
            Before::Nothing => None,
            Before::Same => Some(image.clone()),
            Before::Other => Some(stage.image(9)),
        };
        if let Some(before) = before {
            let pushed = stage.client().push("orders", &before, &["v1"]);
            pushed.map_err(|error| format!("before: {error}"))?;
            stage.server.forget();
        }
        if self.one_upload {
            stage.store_all_but_one("orders", &image);
        }
        let faults = self.faults.len();
        for fault in self.faults.into_iter().chain(self.traps) {
            stage.server.add(fault);
        }
        let client = stage.client();
        client.expect(self.services);
        let began = stage.clock.now();
        let mut result = Ok(());
        for (index, service) in self.services.iter().enumerate() {
            let image = stage.image(1 + u8::try_from(index).expect("few"));
            result = client.push(service, &image, &["v1"]).map(drop);
            match &result {
                Ok(()) if !stage.has(service, &image, "v1") => {
                    return Err("a success, and the image is not stored".to_owned());
                }
                Ok(()) => {}
                Err(_) => break,
            }
        }
        drop(client);
        stage.told.check()?;
        let waited = stage.clock.now().saturating_sub(began);
        match (self.either, result) {
            (true, Ok(())) => {}
            (true, result) => judge(Some(|_| true), result)?,
            (false, result) => judge(self.fails, result)?,
        }
        if let Some(number) = stage
            .server
            .unused()
            .first()
            .filter(|number| **number < faults)
        {
            return Err(format!("fault {number} never happened"));
        }
        let (least, most) = self.waits;
        if !(Duration::from_secs(least)..=Duration::from_secs(most)).contains(&waited) {
            return Err(format!("it waited {waited:?}"));
        }
        for look in self.looks {
            look(&stage)?;
        }
        learns_nothing(&stage)
    }
}

fn judge(fails: Option<Judge>, result: Result<(), DestinationError>) -> Result<(), String> {
    match (fails, result) {
        (None, Ok(())) => Ok(()),
        (Some(_), Ok(())) => Err("a success where an error is expected".to_owned()),
        (Some(judge), Err(DestinationError::Registry(error))) => {
            let told = format!("{error} {error:?} {:?}", error.hint());
            if judge(&error) {
                Ok(())
            } else {
                Err(format!("another error: {told}"))
            }
        }
        (_, Err(error)) => Err(explain(&error)),
    }
}

fn explain(error: &DestinationError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

/// The other origin sees no credential, whatever happens.
fn learns_nothing(stage: &Stage) -> Result<(), String> {
    match stage.server.log().iter().find(|exchange| leaks(exchange)) {
        Some(told) => Err(format!("a credential at the other origin: {told:?}")),
        None => Ok(()),
    }
}

/// Whether the other origin sees a credential in it.
pub(super) fn leaks(exchange: &Exchange) -> bool {
    let told = format!("{exchange:?}");
    let knows = SECRETS.iter().any(|secret| told.contains(secret));
    let shown = exchange.header("authorization").is_some();
    exchange.origin == Origin::Other && (shown || knows)
}

/// Plays all, and tells every id that went wrong.
#[track_caller]
pub(super) fn play(mut scenarios: Vec<Scenario>) {
    if peers::serve_instead(&mut scenarios) {
        return;
    }
    let counted = std::env::var_os(table::VARIABLE).is_some();
    let mut wrong = String::new();
    for scenario in scenarios {
        let id = scenario.id.clone();
        if counted {
            tell(&id);
        }
        if let Err(what) = scenario.play() {
            let _ = writeln!(wrong, "{id}: {what}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[expect(clippy::print_stdout, reason = "the test of the table reads it")]
fn tell(id: &str) {
    println!("{}{id}", table::PLAYED);
}

/// How many requests to the registry have this method and this part in their path.
pub(super) fn counted(
    stage: &Stage,
    method: &str,
    part: &str,
    expected: usize,
) -> Result<(), String> {
    let found = stage.server.count(method, part);
    if found == expected {
        Ok(())
    } else {
        Err(format!("{found} requests {method} {part}, not {expected}"))
    }
}
