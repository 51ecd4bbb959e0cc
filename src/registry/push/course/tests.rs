//! Courses as they should be, and as no registry means them.

use proptest::prelude::*;

use super::*;

const MOUNTING: Course = Course {
    step: Step::Look,
    shape: Shape::Whole,
    pause: 0,
    confirms: true,
    untried: Some(Step::Mount),
    mounts_again: true,
    mounted: false,
    uploads: 0,
    silences: 0,
    confirmations: 0,
    losses: 0,
};

fn plain() -> Course {
    Course::new(Foreknowledge::Nothing, false, true)
}

/// All steps that these outcomes lead to, beginning with the first.
fn steps(course: Course, outcomes: &[Outcome]) -> Vec<Step> {
    let mut course = course;
    let mut steps = vec![course.step];
    for outcome in outcomes {
        course = course.after(*outcome);
        steps.push(course.step);
    }
    steps
}

#[test]
fn the_straight_ways() {
    use Outcome::{Absent, Declined, Mounted, NotYet, Opened, Present, Taken};
    use Step::{Confirm, Look, Mount, Open, Put};
    assert_eq!(steps(plain(), &[Present]), [Look, Step::End(End::Existed)]);
    assert_eq!(
        steps(plain(), &[Absent, Opened, Taken, Present]),
        [Look, Open, Put, Confirm, Step::End(End::Uploaded)]
    );
    assert_eq!(Course::new(Foreknowledge::Nothing, true, true), MOUNTING);
    assert_eq!(
        steps(MOUNTING, &[Absent, Mounted, Present]),
        [Look, Mount, Confirm, Step::End(End::Mounted)]
    );
    assert_eq!(
        steps(MOUNTING, &[Absent, Declined, Opened, Taken, Present]),
        [Look, Mount, Open, Put, Confirm, Step::End(End::Uploaded)]
    );
    // Who does not know the source yet is asked once more.
    assert_eq!(MOUNTING.after(Absent).after(NotYet).pause, 1);
    assert_eq!(
        steps(MOUNTING, &[Absent, NotYet, Mounted, Present]),
        [Look, Mount, Mount, Confirm, Step::End(End::Mounted)]
    );
    assert_eq!(
        steps(MOUNTING, &[Absent, NotYet, NotYet, Opened]),
        [Look, Mount, Mount, Open, Put]
    );
    // A session instead of the mount is used, and not opened a second time.
    assert_eq!(
        steps(MOUNTING, &[Absent, Opened, Taken, Present]),
        [Look, Mount, Put, Confirm, Step::End(End::Uploaded)]
    );
    // What was not found just now is not looked for once more, and what was lost is not even taken over.
    let not_found = |mounts| Course::new(Foreknowledge::NotFound, mounts, false);
    assert_eq!(not_found(true).step, Mount);
    assert_eq!(
        steps(not_found(false), &[Opened, Taken]),
        [Open, Put, Step::End(End::Uploaded)]
    );
    assert_eq!(Course::new(Foreknowledge::Lost, true, true).step, Open);
    // What was acknowledged is looked for, and sent if it is not there.
    for (how, end) in [(How::Mounted, End::Mounted), (How::Uploaded, End::Uploaded)] {
        let acknowledged = Course::new(Foreknowledge::Acknowledged(how), false, true);
        assert_eq!(steps(acknowledged, &[Present]), [Confirm, Step::End(end)]);
        assert_eq!(
            steps(
                acknowledged,
                &[Absent, Absent, Absent, Opened, Taken, Present]
            ),
            [
                Confirm,
                Confirm,
                Confirm,
                Open,
                Put,
                Confirm,
                Step::End(End::Uploaded)
            ]
        );
    }
}

#[test]
fn an_upload_that_may_have_worked_is_looked_for() {
    use Outcome::{Absent, Opened, Passing, Present, SessionGone, Taken};
    use Step::{Again, Confirm, Look, Open, Put};
    for bad in [SessionGone, Passing, Outcome::Silent] {
        assert_eq!(
            steps(plain(), &[Absent, Opened, bad, Present]),
            [Look, Open, Put, Again, Step::End(End::Uploaded)]
        );
        assert_eq!(
            steps(plain(), &[Absent, Opened, bad, Absent, Opened, Taken]),
            [Look, Open, Put, Again, Open, Put, Confirm]
        );
    }
}

#[test]
fn patience_ends() {
    use Outcome::{Absent, Opened, Passing, Silent};
    let rounds = |bad| {
        let mut course = plain().after(Absent);
        let mut sessions = 0;
        while let Step::Open = course.step {
            sessions += 1;
            course = course.after(Opened).after(bad);
            if course.step == Step::Again {
                assert_eq!(course.pause, sessions);
                course = course.after(Absent);
            }
        }
        (sessions, course.step)
    };
    assert_eq!(rounds(Passing), (MAX_UPLOADS, Step::End(End::Failed)));
    assert_eq!(rounds(Silent), (MAX_SILENCES, Step::End(End::Failed)));
    assert_eq!(rounds(Outcome::Refused), (1, Step::End(End::Failed)));
}

#[test]
fn shapes_change_only_where_they_are_refused() {
    use Outcome::{Absent, Opened, ShapeRefused, TooLarge};
    let open = plain().after(Absent);
    let patch = open.after(Opened).after(ShapeRefused);
    assert_eq!((patch.step, patch.shape), (Step::Open, Shape::Patch));
    let end = patch.after(Opened).after(ShapeRefused).step;
    assert_eq!(end, Step::End(End::Failed));
    let large = open.after(Opened).after(TooLarge);
    assert_eq!(
        (large.step, large.shape),
        (Step::Open, Shape::Pieces(LARGE_PIECES))
    );
    let small = large.after(Opened).after(TooLarge);
    assert_eq!(small.shape, Shape::Pieces(SMALL_PIECES));
    let end = small.after(Opened).after(TooLarge).step;
    assert_eq!(end, Step::End(End::Failed));
}

#[test]
fn what_is_acknowledged_and_not_there_is_never_a_success() {
    use Outcome::{Absent, Mounted, Opened, Taken};
    let mut course = MOUNTING.after(Absent).after(Mounted);
    let mut mounted = 0;
    while course.step == Step::Confirm {
        course = course.after(Absent);
        mounted += 1;
    }
    assert_eq!((mounted, course.step), (MAX_CONFIRMATIONS, Step::Open));
    let mut uploads = 0;
    while course.step == Step::Open {
        course = course.after(Opened).after(Taken);
        uploads += 1;
        while course.step == Step::Confirm {
            course = course.after(Absent);
        }
    }
    assert_eq!(
        (uploads, course.step),
        (MAX_LOSSES, Step::End(End::NotStored))
    );
}

/// Every outcome that a step can have.
fn legal(step: Step) -> &'static [Outcome] {
    match step {
        Step::Look | Step::Again | Step::Confirm => {
            &[Outcome::Present, Outcome::Absent, Outcome::Unclear]
        }
        Step::Mount => &[
            Outcome::Mounted,
            Outcome::Opened,
            Outcome::Declined,
            Outcome::NotYet,
        ],
        Step::Open => &[Outcome::Opened],
        Step::Put => &[
            Outcome::Taken,
            Outcome::SessionGone,
            Outcome::ShapeRefused,
            Outcome::TooLarge,
            Outcome::Silent,
            Outcome::Passing,
            Outcome::Refused,
        ],
        Step::End(_) => &[],
    }
}

const ALL: [Outcome; 14] = [
    Outcome::Present,
    Outcome::Absent,
    Outcome::Unclear,
    Outcome::Mounted,
    Outcome::Opened,
    Outcome::Declined,
    Outcome::NotYet,
    Outcome::Taken,
    Outcome::SessionGone,
    Outcome::ShapeRefused,
    Outcome::TooLarge,
    Outcome::Silent,
    Outcome::Passing,
    Outcome::Refused,
];

#[test]
fn an_outcome_that_a_step_cannot_have_is_a_failure() {
    for step in [
        Step::Look,
        Step::Mount,
        Step::Open,
        Step::Put,
        Step::Confirm,
        Step::Again,
    ] {
        let others = ALL.iter().filter(|outcome| !legal(step).contains(outcome));
        for outcome in others {
            let course = Course { step, ..MOUNTING };
            assert_eq!(
                course.after(*outcome).step,
                Step::End(End::Failed),
                "{step:?} {outcome:?}"
            );
        }
    }
}

/// The outcomes of a walk: of each step one that it can have. What ends a walk well is rarer than what keeps
/// it going, so that most walks are long.
fn walked(mut course: Course, choices: &[usize]) -> (Course, Vec<(Step, Outcome)>) {
    let mut walk = Vec::new();
    for choice in choices {
        let mut legal = legal(course.step).to_vec();
        if choice % 4 > 0 {
            legal.retain(|outcome| !matches!(outcome, Outcome::Refused | Outcome::Present));
        }
        if legal.is_empty() {
            break;
        }
        let outcome = legal[choice / 4 % legal.len()];
        walk.push((course.step, outcome));
        course = course.after(outcome);
    }
    (course, walk)
}

proptest! {
    #[test]
    fn every_course_ends_and_no_success_is_without_evidence(
        choices in prop::collection::vec(0_usize..1000, 200),
        foreknowledge in prop::sample::select(vec![
            Foreknowledge::Nothing,
            Foreknowledge::NotFound,
            Foreknowledge::Lost,
            Foreknowledge::Acknowledged(How::Mounted),
            Foreknowledge::Acknowledged(How::Uploaded),
        ]),
        mounts in any::<bool>(),
        confirms in any::<bool>(),
    ) {
        let (course, walk) = walked(Course::new(foreknowledge, mounts, confirms), &choices);
        let confirms = confirms || matches!(foreknowledge, Foreknowledge::Acknowledged(_));
        let Step::End(end) = course.step else {
            return Err(TestCaseError::fail(format!("no end: {course:?}")));
        };
        prop_assert!(course.uploads <= MAX_UPLOADS + 3);
        let puts = walk.iter().filter(|(step, _)| *step == Step::Put).count();
        prop_assert!(puts <= (MAX_UPLOADS + 3) as usize, "{:?}", walk);
        let last = *walk.last().expect("a step");
        match end {
            End::Existed => prop_assert_eq!(last, (Step::Look, Outcome::Present)),
            End::Mounted if confirms => {
                prop_assert_eq!(last.0, Step::Confirm);
                prop_assert!(last.1 != Outcome::Absent);
            }
            End::Mounted => prop_assert_eq!(last, (Step::Mount, Outcome::Mounted)),
            End::Uploaded => {
                let seen = matches!(
                    last,
                    (Step::Confirm, Outcome::Present | Outcome::Unclear)
                        | (Step::Again, Outcome::Present)
                );
                let trusted = !confirms && last == (Step::Put, Outcome::Taken);
                prop_assert!(seen || trusted, "{:?}", last);
            }
            End::NotStored => prop_assert_eq!(last, (Step::Confirm, Outcome::Absent)),
            End::Failed => prop_assert_eq!(last.0, Step::Put),
        }
    }
}

#[test]
fn walks_of_legal_outcomes_are_long() {
    let choices = |seed: usize| (0..200).map(move |step| (seed * 7919 + step * 104_729) % 1000);
    let lengths = (0..200).map(|seed| {
        let choices: Vec<usize> = choices(seed).collect();
        walked(MOUNTING, &choices).1.len()
    });
    let mean = lengths.sum::<usize>() / 200;
    assert!(mean >= 6, "{mean}");
}
