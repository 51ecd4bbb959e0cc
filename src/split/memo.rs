//! Answers that many services ask for, found once.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Answers by questions. Two that ask at once may both find the answer, which is then the same.
#[derive(Debug)]
pub(super) struct Memo<Q, A>(Mutex<HashMap<Q, A>>);

impl<Q, A> Default for Memo<Q, A> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Q: Hash + Eq, A: Clone> Memo<Q, A> {
    /// The answer to `question`, which `find` finds the first time.
    ///
    /// # Errors
    /// Those of `find`, which are not kept.
    pub(super) fn ask<B, E>(
        &self,
        question: &B,
        find: impl FnOnce() -> Result<A, E>,
    ) -> Result<A, E>
    where
        Q: Borrow<B>,
        B: Hash + Eq + ToOwned<Owned = Q> + ?Sized,
    {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = known.get(question) {
            return Ok(answer.clone());
        }
        drop(known);
        let answer = find()?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(question.to_owned(), answer.clone());
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_once_and_an_error_is_not_kept() {
        let memo: Memo<String, u32> = Memo::default();
        assert_eq!(memo.ask("a", || Err(1)), Err(1));
        assert_eq!(memo.ask("a", || Ok::<_, u32>(2)), Ok(2));
        assert_eq!(memo.ask("a", || Err(3)), Ok(2));
        assert_eq!(memo.ask("b", || Err(3)), Err(3));
    }
}
