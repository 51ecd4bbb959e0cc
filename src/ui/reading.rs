//! What a terminal shows while an image is read: one line, if it takes long enough to be seen.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar};

use super::bars::{MOVING, show_meter, style};
use super::rate::Rate;
use crate::report::Meter;

/// What takes less is over before anybody wonders, and a line would flicker.
const SOON: Duration = Duration::from_millis(400);

/// An image that is being read.
#[derive(Debug)]
pub(super) struct Reading {
    image: String,
    meter: Meter,
    rate: Rate,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Reading {
    /// Nothing is shown until [`Reading::look`] finds that it takes a while.
    pub(super) fn begin(image: &str, meter: &Meter) -> Self {
        Self {
            image: image.to_owned(),
            meter: meter.clone(),
            rate: Rate::default(),
            started: Instant::now(),
            bar: None,
        }
    }

    /// Shows how far it got by now.
    pub(super) fn look(&mut self, multi: &MultiProgress) {
        let now = self.started.elapsed();
        if now < SOON && self.bar.is_none() {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::hidden();
            bar.set_style(style(MOVING));
            bar.set_prefix("Reading");
            // Before it is on the terminal: it would be seen there without its numbers.
            show_meter(&bar, &self.image, &self.meter, &mut self.rate, now);
            let bar = multi.add(bar);
            bar.tick();
            bar
        });
        show_meter(bar, &self.image, &self.meter, &mut self.rate, now);
    }

    /// Takes the line off the terminal.
    pub(super) fn end(self, multi: &MultiProgress) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
            multi.remove(&bar);
            let _ = multi.clear();
        }
    }
}
