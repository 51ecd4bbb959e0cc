//! Events as JSON lines: each an object with a `reason`.

use serde::Serialize;

use crate::report::{DeliverySummary, Event, ServiceSummary, Step, Summary};

#[derive(Serialize)]
struct Image<'a> {
    reason: &'static str,
    service: &'a str,
    delivery: &'a DeliverySummary,
}

#[derive(Serialize)]
struct Failure<'a> {
    reason: &'static str,
    service: &'a str,
    step: &'static str,
    error: &'a str,
    hint: Option<&'a str>,
}

#[derive(Serialize)]
struct Refusal<'a> {
    reason: &'static str,
    destination: &'a str,
    error: &'a str,
    hint: Option<&'a str>,
}

#[derive(Serialize)]
struct Service<'a> {
    reason: &'static str,
    #[serde(flatten)]
    service: &'a ServiceSummary,
}

#[derive(Serialize)]
struct Last<'a> {
    reason: &'static str,
    #[serde(flatten)]
    summary: &'a Summary,
}

/// The line for an event that machines care about.
pub(super) fn line(event: &Event) -> Option<String> {
    let text = match event {
        Event::Delivered { service, delivery } => serde_json::to_string(&Image {
            reason: "lighter-image",
            service,
            delivery,
        }),
        Event::Failed {
            service,
            step,
            error,
            hint,
        } => serde_json::to_string(&Failure {
            reason: "lighter-error",
            service,
            step: step_name(*step),
            error,
            hint: hint.as_deref(),
        }),
        Event::Refused {
            destination,
            error,
            hint,
        } => serde_json::to_string(&Refusal {
            reason: "lighter-error",
            destination,
            error,
            hint: hint.as_deref(),
        }),
        Event::Service(service) => serde_json::to_string(&Service {
            reason: "lighter-service",
            service,
        }),
        Event::Summary(summary) => serde_json::to_string(&Last {
            reason: "lighter-summary",
            summary,
        }),
        _ => return None,
    };
    text.ok()
}

fn step_name(step: Step) -> &'static str {
    match step {
        Step::Compile => "compile",
        Step::Assemble => "assemble",
        Step::Deliver => "deliver",
    }
}
