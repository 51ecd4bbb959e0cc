//! A plan as the matrix of a GitHub workflow.

use serde::Serialize;

use super::Row;
use crate::hint::Hint;

/// Jobs that one matrix may make (GitHub, "Usage limits").
const MAX_JOBS: usize = 256;

/// No matrix can be made.
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    /// More services than a matrix may have jobs.
    #[error("{count} services are more than the {MAX_JOBS} jobs that a matrix may have")]
    TooLarge {
        /// The number of services.
        count: usize,
    },
    /// Never for rows of text; serializing is fallible by its type.
    #[error("cannot write the matrix as JSON")]
    Json(#[from] serde_json::Error),
}

impl Hint for MatrixError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::TooLarge { .. } => Some(
                "make one matrix for each group of services: name them by globs, such as `'order*'`"
                    .to_owned(),
            ),
            Self::Json(_) => None,
        }
    }
}

#[derive(Serialize)]
struct Matrix<'a> {
    include: Vec<Job<'a>>,
}

#[derive(Serialize)]
struct Job<'a> {
    service: &'a str,
    package: &'a str,
    bin: &'a str,
    platform: &'a str,
}

/// The value of `strategy.matrix`: compact JSON in one line, `{"include":[{"service":…},…]}`.
///
/// A workflow fails at a matrix without jobs, so that [`github_output`] gives a flag beside it.
///
/// # Errors
/// [`MatrixError::TooLarge`] for more services than a matrix may have jobs.
pub fn github_matrix(rows: &[Row]) -> Result<String, MatrixError> {
    if rows.len() > MAX_JOBS {
        return Err(MatrixError::TooLarge { count: rows.len() });
    }
    let include = rows
        .iter()
        .map(|row| Job {
            service: &row.service,
            package: &row.package,
            bin: &row.bin,
            platform: &row.platform,
        })
        .collect();
    Ok(serde_json::to_string(&Matrix { include })?)
}

/// Two lines for `>> "$GITHUB_OUTPUT"`: `matrix=…`, and `any=true` or `any=false` for the `if:` of the
/// job that uses it. JSON escapes line ends, so no name can add a third.
///
/// # Errors
/// As [`github_matrix`].
pub fn github_output(rows: &[Row]) -> Result<String, MatrixError> {
    let matrix = github_matrix(rows)?;
    Ok(format!("matrix={matrix}\nany={}\n", !rows.is_empty()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_matrix_is_one_line_of_json() {
        assert_eq!(
            github_output(&[Row::named("orders")]).expect("small"),
            "matrix={\"include\":[{\"service\":\"orders\",\"package\":\"shop-orders\",\"bin\":\"orders\",\
             \"platform\":\"linux/amd64\"}]}\nany=true\n"
        );
    }

    #[test]
    fn an_empty_matrix_has_its_flag() {
        let output = github_output(&[]).expect("small");
        assert_eq!(output, "matrix={\"include\":[]}\nany=false\n");
    }

    #[test]
    fn a_matrix_has_at_most_256_jobs() {
        let mut rows = vec![Row::named("orders"); 256];
        assert!(github_matrix(&rows).is_ok());
        rows.push(Row::named("one-more"));
        let error = github_matrix(&rows).expect_err("too large");
        assert_eq!(
            error.to_string(),
            "257 services are more than the 256 jobs that a matrix may have"
        );
        assert!(error.hint().is_some_and(|hint| hint.contains("group")));
    }

    proptest! {
        #[test]
        fn no_name_adds_a_line(service in any::<String>(), platform in "[\\x00-\\xff]*") {
            let row = Row { service: service.clone(), platform, ..Row::default() };
            let output = github_output(&[row]).expect("small");
            prop_assert_eq!(output.matches(['\n', '\r']).count(), 2);
            let matrix = output.strip_prefix("matrix=").and_then(|rest| rest.split_once('\n'));
            let json: serde_json::Value =
                serde_json::from_str(matrix.expect("two lines").0).expect("JSON");
            prop_assert_eq!(json["include"][0]["service"].as_str(), Some(service.as_str()));
        }
    }
}
