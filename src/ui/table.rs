//! The table at the end of a run: what came of each service.

use crate::report::{DeliveryStatus, ServiceStatus, ServiceSummary, Summary, printable, size};

const HEADINGS: [&str; 8] = [
    "service", "image", "new", "reused", "compile", "assemble", "deliver", "",
];
/// The cells of a service.
type Row = [String; HEADINGS.len()];
/// The columns of words; the others hold numbers.
const WORDS: [usize; 2] = [0, 7];

/// The services of a summary, a line each below the headings; below each other what does not fit into `width`
/// columns. Nothing where none came to anything, for what was said of that is to be the last word.
pub(super) fn table(summary: &Summary, width: Option<usize>) -> Option<String> {
    let failed = |service: &ServiceSummary| service.status == ServiceStatus::Failed;
    if summary.services.iter().all(failed) {
        return None;
    }
    let rows: Vec<Row> = summary.services.iter().map(row).collect();
    let lines = beside(&rows);
    let widest = lines.iter().map(|line| line.chars().count()).max();
    let fits = width.is_none_or(|width| widest.unwrap_or_default() <= width);
    let lines = if fits {
        lines
    } else {
        below(&rows, width.unwrap_or_default())
    };
    Some(lines.join("\n"))
}

/// One line for each row, below the headings.
fn beside(rows: &[Row]) -> Vec<String> {
    let headings = HEADINGS.map(str::to_owned);
    let rows = || std::iter::once(&headings).chain(rows);
    let mut widths = [0; HEADINGS.len()];
    for row in rows() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &Row| {
        let cells = row.iter().zip(widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| {
            // Names and words begin where they stand; numbers end there.
            if WORDS.contains(&column) {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        });
        let line: Vec<String> = cells.collect();
        format!("  {}", line.join("  ").trim_end())
    };
    rows().map(line).collect()
}

/// Three lines for each row: its name as far as it fits, bytes, and seconds.
fn below(rows: &[Row], width: usize) -> Vec<String> {
    let lines = |row: &Row| {
        let [
            service,
            image,
            new,
            reused,
            compile,
            assemble,
            deliver,
            word,
        ] = row;
        [
            fitting(format!("  {service}  {word}").trim_end(), width),
            format!("    image {image}, new {new}, reused {reused}"),
            format!("    compile {compile}, assemble {assemble}, deliver {deliver}"),
        ]
    };
    rows.iter().flat_map(lines).collect()
}

fn row(service: &ServiceSummary) -> Row {
    let deliveries = &service.deliveries;
    let new: u64 = deliveries.iter().map(|one| one.uploaded_bytes).sum();
    let (image, layers) = match &service.image {
        Some(image) => (size(image.bytes), Some(image.layers)),
        None => ("-".to_owned(), None),
    };
    let reused = layers.map(|layers| {
        let found = deliveries.iter().map(|one| {
            // Beside layers there is the configuration.
            let found = one.existing_blobs.saturating_add(one.mounted_blobs);
            found.min(layers)
        });
        let all = layers.saturating_mul(deliveries.len() as u64);
        format!("{}/{all}", found.sum::<u64>())
    });
    let spent = |seconds: f64| format!("{seconds:.1}s");
    [
        printable(&service.service),
        image,
        size(new),
        reused.unwrap_or_else(|| "-".to_owned()),
        spent(service.seconds.compile),
        spent(service.seconds.assemble),
        spent(service.seconds.deliver),
        word(service).to_owned(),
    ]
}

/// How it ended, where that is not what everybody expects.
fn word(service: &ServiceSummary) -> &'static str {
    let unchanged = |status: DeliveryStatus| status == DeliveryStatus::Exists;
    match service.status {
        ServiceStatus::Failed => "failed",
        ServiceStatus::Reused => "reused",
        ServiceStatus::Retagged => "retagged",
        ServiceStatus::Built if service.deliveries.iter().all(|one| unchanged(one.status)) => {
            "unchanged"
        }
        ServiceStatus::Built => "",
    }
}

/// The text, cut where it would be longer than the terminal is wide.
fn fitting(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let begin: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{begin}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::report::{DeliverySummary, ImageSummary, SCHEMA_VERSION, Seconds};

    fn service(name: &str, status: ServiceStatus) -> ServiceSummary {
        ServiceSummary {
            service: name.to_owned(),
            package: name.to_owned(),
            status,
            key: None,
            digest: None,
            image: None,
            revision: None,
            dirty: None,
            platforms: Vec::new(),
            libraries: Vec::new(),
            deliveries: Vec::new(),
            seconds: Seconds::default(),
            error: None,
        }
    }

    fn delivery(status: DeliveryStatus, uploaded_bytes: u64, found: u64) -> DeliverySummary {
        DeliverySummary {
            destination: "oci:out".to_owned(),
            reference: Vec::new(),
            tags: Vec::new(),
            digest: Digest::of(b""),
            status,
            uploaded_bytes,
            mounted_blobs: 0,
            existing_blobs: found,
            requests: 0,
        }
    }

    #[test]
    fn one_line_for_each_service_below_the_headings() {
        let mut built = service("orders", ServiceStatus::Built);
        built.image = Some(ImageSummary {
            bytes: 3_412_345,
            layers: 4,
        });
        built.deliveries = vec![delivery(DeliveryStatus::Pushed, 1_200_000, 2)];
        built.seconds = Seconds {
            compile: 12.34,
            assemble: 0.4,
            deliver: 1.25,
        };
        let mut same = built.clone();
        same.service = "a-service-with-a-name-that-is-long".to_owned();
        same.deliveries = vec![delivery(DeliveryStatus::Exists, 0, 5)];
        let services = vec![
            built,
            same,
            service("broken", ServiceStatus::Failed),
            service("kept", ServiceStatus::Retagged),
        ];
        let version = SCHEMA_VERSION;
        let summary = Summary { version, services };
        let text = table(&summary, None).expect("services");
        let expected = "
  service                              image     new  reused  compile  assemble  deliver
  orders                              3.4 MB  1.2 MB     2/4    12.3s      0.4s     1.2s
  a-service-with-a-name-that-is-long  3.4 MB     0 B     4/4    12.3s      0.4s     1.2s  unchanged
  broken                                   -     0 B       -     0.0s      0.0s     0.0s  failed
  kept                                     -     0 B       -     0.0s      0.0s     0.0s  retagged";
        assert_eq!(text, expected.trim_start_matches('\n'));
        let narrow = table(&summary, Some(60)).expect("services");
        let expected = "
  orders
    image 3.4 MB, new 1.2 MB, reused 2/4
    compile 12.3s, assemble 0.4s, deliver 1.2s
  a-service-with-a-name-that-is-long  unchanged
    image 3.4 MB, new 0 B, reused 4/4
    compile 12.3s, assemble 0.4s, deliver 1.2s
  broken  failed
    image -, new 0 B, reused -
    compile 0.0s, assemble 0.0s, deliver 0.0s
  kept  retagged
    image -, new 0 B, reused -
    compile 0.0s, assemble 0.0s, deliver 0.0s";
        assert_eq!(narrow, expected.trim_start_matches('\n'));
        let narrower = table(&summary, Some(30)).expect("services");
        let cut = "  a-service-with-a-name-that-…";
        assert!(narrower.lines().any(|line| line == cut), "{narrower}");
    }

    #[test]
    fn a_run_that_came_to_nothing_has_none() {
        let version = SCHEMA_VERSION;
        for services in [Vec::new(), vec![service("broken", ServiceStatus::Failed)]] {
            assert_eq!(table(&Summary { version, services }, None), None);
        }
    }
}
