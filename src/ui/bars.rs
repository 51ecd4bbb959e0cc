//! What a terminal shows while a run works: a line for each service that is being worked on, and one
//! for the whole below them.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::rate::Rate;
use super::reading::Reading;

use crate::report::{Event, Meter, Step, printable, size};

/// How often bytes are looked at. Faster than this nobody reads.
const LOOK: Duration = Duration::from_millis(125);
const STEP: &str = "{prefix:>12.cyan.bold} {wide_msg}";
pub(super) const MOVING: &str = "{prefix:>12.cyan.bold} [{bar:10}] {wide_msg}";
const FILLED: &str = "=> ";

/// Bars at the bottom of a terminal. They are there from the beginning of a run to its end, also if that is an
/// error or a panic.
#[derive(Debug)]
pub(super) struct Bars {
    shared: Arc<Shared>,
    ticker: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    multi: MultiProgress,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    run: Option<Run>,
    reading: Option<Reading>,
    over: bool,
}

/// A run that is shown.
#[derive(Debug)]
struct Run {
    whole: ProgressBar,
    lines: BTreeMap<String, Line>,
    started: Instant,
    /// Bytes of all transfers that ended: moved, and expected.
    ended: (u64, u64),
    rate: Rate,
}

/// A service that is being worked on.
#[derive(Debug)]
struct Line {
    bar: ProgressBar,
    work: Work,
}

#[derive(Debug)]
enum Work {
    Compiling { crates: u64 },
    Assembling,
    Moving { meter: Meter, rate: Rate },
}

impl Bars {
    /// Bars on `target`, once a run begins.
    pub(super) fn new(target: ProgressDrawTarget) -> Self {
        let shared = Arc::new(Shared {
            multi: MultiProgress::with_draw_target(target),
            state: Mutex::default(),
            ended: Condvar::new(),
        });
        let looking = Arc::clone(&shared);
        let ticker = thread::Builder::new()
            .name("bars".to_owned())
            .spawn(move || looking.look_until_the_end());
        Self {
            shared,
            // Without the thread bars move with each event only.
            ticker: ticker.ok(),
        }
    }

    /// Shows what an event changes.
    pub(super) fn show(&self, event: &Event) {
        let mut state = self.shared.state();
        match event {
            Event::Begun { images } => state.run = Some(Run::begin(&self.shared.multi, *images)),
            Event::Summary(_) | Event::Read => state.end(&self.shared.multi),
            Event::Reading { image, meter } => {
                state.end(&self.shared.multi);
                state.reading = Some(Reading::begin(image, meter));
            }
            _ => {}
        }
        if let Some(run) = state.run.as_mut() {
            run.follow(event, &self.shared.multi);
        }
    }

    /// Does something with the terminal while the bars are away.
    pub(super) fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        self.shared.multi.suspend(write)
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.shared.state().over = true;
        self.shared.ended.notify_all();
        // Nothing is drawn by a thread that panics, thus the other one takes the bars away.
        match self.ticker.take().map(JoinHandle::join) {
            Some(Ok(())) => {}
            Some(Err(_)) | None => self.shared.state().end(&self.shared.multi),
        }
    }
}

impl Shared {
    fn look_until_the_end(&self) {
        let mut state = self.state();
        while !state.over {
            if let Some(run) = state.run.as_mut() {
                run.look();
            }
            if let Some(reading) = state.reading.as_mut() {
                reading.look(&self.multi);
            }
            let waited = self.ended.wait_timeout(state, LOOK);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state.end(&self.multi);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes everything off the terminal.
    fn end(&mut self, multi: &MultiProgress) {
        if let Some(reading) = self.reading.take() {
            reading.end(multi);
        }
        let Some(run) = self.run.take() else { return };
        let lines = run.lines.into_values().map(|line| line.bar);
        for bar in lines.chain([run.whole]) {
            bar.finish_and_clear();
            multi.remove(&bar);
        }
        // Nothing is left to be done for a terminal that is gone.
        let _ = multi.clear();
    }
}

impl Run {
    fn begin(multi: &MultiProgress, images: usize) -> Self {
        let whole = ProgressBar::hidden();
        whole.set_style(style(MOVING));
        whole.set_prefix("Shipping");
        whole.set_length(images as u64);
        let whole = multi.add(whole);
        whole.tick();
        Self {
            whole,
            lines: BTreeMap::new(),
            started: Instant::now(),
            ended: (0, 0),
            rate: Rate::default(),
        }
    }

    fn follow(&mut self, event: &Event, multi: &MultiProgress) {
        match event {
            Event::Started { service, step, .. } => match step {
                Step::Compile => {
                    self.add(multi, service, "Building", Work::Compiling { crates: 0 });
                }
                Step::Assemble => {
                    self.add(multi, service, "Assembling", Work::Assembling);
                }
                Step::Deliver => {}
            },
            Event::Compiled { service, name } => self.count_crate(service, name),
            Event::Moving { service, meter } => {
                let (meter, rate) = (meter.clone(), Rate::default());
                self.add(multi, service, "Delivering", Work::Moving { meter, rate });
            }
            Event::Finished { service, step, .. } => {
                self.remove(multi, service);
                self.whole.inc(u64::from(*step == Step::Deliver));
            }
            Event::Failed { service, .. } => self.remove(multi, service),
            _ => return,
        }
        self.look();
    }

    fn add(&mut self, multi: &MultiProgress, service: &str, verb: &'static str, work: Work) {
        self.remove(multi, service);
        let template = match work {
            Work::Moving { .. } => MOVING,
            _ => STEP,
        };
        let bar = ProgressBar::hidden();
        bar.set_style(style(template));
        bar.set_prefix(verb);
        bar.set_message(printable(service));
        let bar = multi.insert_before(&self.whole, bar);
        bar.tick();
        self.lines.insert(service.to_owned(), Line { bar, work });
    }

    fn remove(&mut self, multi: &MultiProgress, service: &str) {
        let Some(line) = self.lines.remove(service) else {
            return;
        };
        if let Work::Moving { meter, .. } = &line.work {
            // What moved in vain is not expected any more.
            self.ended.0 += meter.moved();
            self.ended.1 += meter.moved();
        }
        line.bar.finish_and_clear();
        multi.remove(&line.bar);
    }

    fn count_crate(&mut self, service: &str, name: &str) {
        if let Some(Line { bar, work }) = self.lines.get_mut(service)
            && let Work::Compiling { crates } = work
        {
            *crates += 1;
            let (service, name) = (printable(service), printable(name));
            let plural = if *crates == 1 { "" } else { "s" };
            bar.set_message(format!("{service}, {crates} crate{plural}, {name}"));
        }
    }

    /// Shows how far bytes got by now.
    fn look(&mut self) {
        let now = self.started.elapsed();
        let (mut moved, mut expected) = self.ended;
        for (service, Line { bar, work }) in &mut self.lines {
            let Work::Moving { meter, rate } = work else {
                continue;
            };
            show_meter(bar, service, meter, rate, now);
            moved += meter.moved();
            expected += meter.expected();
        }
        let images = self.whole.length().unwrap_or_default();
        let (done, seconds) = (self.whole.position(), now.as_secs());
        let bytes = bytes(moved, expected, self.rate.at(now, moved));
        let plural = if images == 1 { "" } else { "s" };
        self.whole
            .set_message(format!("{bytes}{done}/{images} image{plural}, {seconds}s"));
    }
}

/// How far bytes got by now, and of what they are.
pub(super) fn show_meter(
    bar: &ProgressBar,
    of: &str,
    meter: &Meter,
    rate: &mut Rate,
    now: Duration,
) {
    let (moved, expected) = (meter.moved(), meter.expected());
    bar.set_length(expected.max(1));
    bar.set_position(moved);
    // A long name is cut at the edge, and nothing behind it would be seen.
    let bytes = bytes(moved, expected, rate.at(now, moved));
    bar.set_message(format!("{bytes}{}", printable(of)));
}

/// `1.2 MB/3.4 MB, 2.0 MB/s, `; nothing while there is nothing to move.
fn bytes(moved: u64, expected: u64, rate: Option<u64>) -> String {
    if expected == 0 {
        return String::new();
    }
    let rate = rate.map(|rate| format!("{}/s, ", size(rate)));
    // Chunks that were under way when their attempt ended may be counted late.
    let moved = size(moved.min(expected));
    format!("{moved}/{}, {}", size(expected), rate.unwrap_or_default())
}

pub(super) fn style(template: &str) -> ProgressStyle {
    // The templates are constants of this file, and a test reads each.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars(FILLED)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use indicatif::InMemoryTerm;

    use super::*;
    use crate::ui::screen::Screen;

    const ROWS: u16 = 12;
    const COLUMNS: u16 = 60;

    fn on_a_terminal() -> (InMemoryTerm, Bars) {
        let terminal = InMemoryTerm::new(ROWS, COLUMNS);
        let bars = Bars::new(Screen::target(terminal.clone()));
        (terminal, bars)
    }

    fn started(service: &str, step: Step) -> Event {
        Event::Started {
            service: service.to_owned(),
            step,
            detail: String::new(),
        }
    }

    fn finished(service: &str, step: Step) -> Event {
        Event::Finished {
            service: service.to_owned(),
            step,
            detail: String::new(),
            seconds: 1.0,
            bytes: None,
        }
    }

    /// What stands on the terminal, drawn anew: how often it is drawn is limited.
    fn shown(terminal: &InMemoryTerm, bars: &Bars) -> Vec<String> {
        bars.aside(|| {});
        terminal.contents().lines().map(str::to_owned).collect()
    }

    #[test]
    fn templates_are_legal() {
        for template in [STEP, MOVING] {
            ProgressStyle::with_template(template).expect("legal");
        }
    }

    #[test]
    fn each_service_has_one_line_and_the_whole_stands_below() {
        let (terminal, bars) = on_a_terminal();
        bars.show(&Event::Begun { images: 3 });
        bars.show(&started("orders", Step::Compile));
        for name in ["libc", "serde"] {
            let (service, name) = ("orders".to_owned(), name.to_owned());
            bars.show(&Event::Compiled { service, name });
        }
        let meter = Meter::default();
        meter.expect(4_000_000);
        meter.advance(1_000_000);
        let service = "billing".to_owned();
        bars.show(&Event::Moving { service, meter });
        let lines = shown(&terminal, &bars);
        assert_eq!(lines[0], "    Building orders, 2 crates, serde");
        assert_eq!(lines[1], "  Delivering [==>       ] 1.0 MB/4.0 MB, billing");
        assert!(lines[2].starts_with("    Shipping [          ] "));
        assert!(lines[2].contains("] 1.0 MB/4.0 MB, 0/3 images, "));
        bars.show(&finished("orders", Step::Compile));
        bars.show(&finished("billing", Step::Deliver));
        let lines = shown(&terminal, &bars);
        assert!(lines[0].starts_with("    Shipping [===>      ] "));
        assert!(lines[0].contains("] 1.0 MB/1.0 MB, 1/3 images, "));
        assert_eq!(lines.len(), 1);
    }

    #[test]
    fn a_read_that_takes_a_while_has_a_line_until_its_end() {
        let (terminal, bars) = on_a_terminal();
        let meter = Meter::default();
        meter.expect(4_000_000);
        meter.advance(1_000_000);
        let image = "ghcr.io/acme/api".to_owned();
        bars.show(&Event::Reading { image, meter });
        assert_eq!(terminal.contents(), "");
        while terminal.contents().is_empty() {
            thread::yield_now();
        }
        let lines = shown(&terminal, &bars);
        let expected = "     Reading [==>       ] 1.0 MB/4.0 MB, ghcr.io/acme/api";
        assert_eq!(lines, [expected]);
        bars.show(&Event::Read);
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_none_too_many() {
        let (terminal, bars) = on_a_terminal();
        bars.show(&Event::Begun { images: 1000 });
        for number in 0..40 {
            let service = format!("a-service-with-quite-a-long-name-for-a-service-{number}");
            let meter = Meter::default();
            meter.expect(u64::MAX / 100);
            bars.show(&Event::Moving { service, meter });
        }
        let lines = shown(&terminal, &bars);
        assert!(lines.len() <= usize::from(ROWS), "{lines:#?}");
        assert!(
            lines.iter().all(|line| line.starts_with("  Delivering [")),
            "{lines:#?}"
        );
    }

    /// The `^C` of whoever interrupts a run moved a cursor that waited there into the next line, and a bar
    /// stayed on the screen.
    #[test]
    fn no_line_reaches_the_edge() {
        let (terminal, bars) = on_a_terminal();
        bars.show(&Event::Begun {
            images: usize::MAX / 100,
        });
        let meter = Meter::default();
        meter.expect(u64::MAX / 100);
        let service = "a-service-with-quite-a-long-name-for-a-service".to_owned();
        bars.show(&Event::Moving { service, meter });
        let lines = shown(&terminal, &bars);
        assert_eq!(lines.len(), 2, "{lines:#?}");
        for line in lines {
            assert_eq!(line.chars().count(), usize::from(COLUMNS) - 1, "{line}");
        }
    }

    #[test]
    fn a_total_grows_and_what_moved_in_vain_is_taken_back() {
        let (terminal, bars) = on_a_terminal();
        bars.show(&Event::Begun { images: 1 });
        let meter = Meter::default();
        meter.expect(2_000_000);
        let (service, shown_meter) = ("orders".to_owned(), meter.clone());
        bars.show(&Event::Moving {
            service,
            meter: shown_meter,
        });
        let stands = |text: &str| {
            bars.show(&started("users", Step::Compile));
            let lines = shown(&terminal, &bars);
            let is_there = |line: &String| line.contains(&format!("] {text}, orders"));
            assert!(lines.iter().any(is_there), "no `{text}` in {lines:#?}");
        };
        let attempt = meter.attempt();
        attempt.meter().advance(1_000_000);
        stands("1.0 MB/2.0 MB");
        meter.expect(2_000_000);
        stands("1.0 MB/4.0 MB");
        drop(attempt);
        stands("0 B/4.0 MB");
    }

    #[test]
    fn nothing_is_left_when_the_run_ends_or_panics() {
        let (terminal, bars) = on_a_terminal();
        bars.show(&Event::Begun { images: 1 });
        bars.show(&started("orders", Step::Compile));
        assert_eq!(shown(&terminal, &bars).len(), 2);
        let ended = catch_unwind(AssertUnwindSafe(move || {
            let _bars = bars;
            panic!("as if by accident");
        }));
        assert!(ended.is_err());
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn lines_of_text_stand_above_the_bars() {
        let (terminal, bars) = on_a_terminal();
        bars.show(&Event::Begun { images: 1 });
        bars.show(&started("orders", Step::Compile));
        bars.aside(|| {
            use indicatif::TermLike as _;
            terminal.write_line("warning: something").expect("written");
        });
        let lines = shown(&terminal, &bars);
        assert_eq!(lines[0], "warning: something");
        assert_eq!(lines[1], "    Building orders");
    }
}
