//! The problems as they are found: fields that are read, and a limit.

use super::json::{Field, Shape};
use super::loose::{List, Map};
use super::problem::Problem;
use crate::oci::Family;
use crate::report::printable;

/// Problems kept at most of each kind; a hostile layer could have millions.
const MAX_PROBLEMS: usize = 10_000;

/// Collects problems up to a limit: what breaks the specification is not lost among all else.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: Vec<Problem>,
    breaking: usize,
    others: usize,
}

impl Findings {
    pub(super) fn add(&mut self, problem: Problem) {
        let of_specification = problem.breaks_specification();
        let count = if of_specification {
            &mut self.breaking
        } else {
            &mut self.others
        };
        *count += 1;
        if *count <= MAX_PROBLEMS {
            self.problems.push(problem);
        } else if *count == MAX_PROBLEMS + 1 {
            self.problems.push(Problem::TooMany {
                limit: MAX_PROBLEMS,
                of_specification,
            });
        }
    }

    /// The value of a field, unless it is missing or of another type.
    pub(super) fn take<T: Shape>(&mut self, at: &str, field: &str, value: Field<T>) -> Option<T> {
        match value {
            Field::Read(value) => Some(value),
            Field::Missing | Field::Null => None,
            Field::Wrong(found) => {
                self.wrong::<T>(at, field, found);
                None
            }
        }
    }

    /// The same of a field that must be there.
    pub(super) fn required<T: Shape>(
        &mut self,
        at: &str,
        field: &'static str,
        value: Field<T>,
    ) -> Option<T> {
        if matches!(value, Field::Missing | Field::Null) {
            self.add(Problem::MissingField {
                at: at.to_owned(),
                field,
            });
        }
        self.take(at, field, value)
    }

    /// What a list holds, `None` in the place of what is of another type.
    pub(super) fn elements<T: Shape>(
        &mut self,
        at: &str,
        field: &str,
        list: List<T>,
    ) -> Vec<Option<T>> {
        let numbered = list.into_iter().enumerate();
        let elements = numbered
            .map(|(position, element)| self.inside(at, || format!("{field}[{position}]"), element));
        elements.collect()
    }

    /// The texts of a list.
    pub(super) fn texts(
        &mut self,
        at: &str,
        field: &str,
        list: Field<List<String>>,
    ) -> Vec<String> {
        let list = self.take(at, field, list).unwrap_or_default();
        let texts = self.elements(at, field, list);
        texts.into_iter().flatten().collect()
    }

    /// The keys of an object whose values are of the right type.
    pub(super) fn keys<T: Shape>(
        &mut self,
        at: &str,
        field: &str,
        map: Field<Map<T>>,
    ) -> Vec<String> {
        let map = self.take(at, field, map).unwrap_or_default();
        let mut keys = Vec::new();
        for (key, value) in map {
            self.inside(at, || format!("{field}.{}", printable(&key)), value);
            keys.push(key);
        }
        keys
    }

    /// A map of annotations. In documents of OCI it may be empty, and not `null` (image-spec, annotations.md,
    /// "Rules").
    pub(super) fn annotations(&mut self, at: &str, family: Family, map: Field<Map<String>>) {
        const FIELD: &str = "annotations";
        if map == Field::Null && family == Family::Oci {
            self.wrong::<Map<String>>(at, FIELD, "null".to_owned());
        }
        self.keys(at, FIELD, map);
    }

    /// A value in a list or an object, where `null` is one of another type.
    fn inside<T: Shape>(
        &mut self,
        at: &str,
        field: impl Fn() -> String,
        value: Field<T>,
    ) -> Option<T> {
        match value {
            Field::Read(value) => Some(value),
            Field::Wrong(found) => {
                self.wrong::<T>(at, &field(), found);
                None
            }
            Field::Missing | Field::Null => {
                self.wrong::<T>(at, &field(), "null".to_owned());
                None
            }
        }
    }

    fn wrong<T: Shape>(&mut self, at: &str, field: &str, found: String) {
        self.add(Problem::Type {
            at: at.to_owned(),
            field: field.to_owned(),
            found,
            expected: T::EXPECTED,
        });
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }
}
