//! Reads and judges all guests in parallel. A guest that was read is judged when no thread finds another one to
//! read: guests differ in size, and a thread that has nothing left to read judges while others still read.

use super::{OpenedGuest, Survey, survey};
use crate::engine::EngineError;
use crate::engine::planning::classify::{Classified, Judge, classify};
use crate::model::{Event, Observer, Stage, Unit};
use crate::rules::care::Care;

/// What was read of a guest, and what its files may do.
type SurveyedGuest = Result<(Survey, Classified), EngineError>;

/// Reads and judges all guests, in their order.
pub(in crate::engine::planning) fn survey_all(
    guests: Vec<OpenedGuest>,
    judge: &Judge<'_>,
    observer: &dyn Observer,
) -> Result<(Vec<Survey>, Vec<Classified>), EngineError> {
    observer.notice(&Event::Begin(Stage::Scan, Unit::Names, None));
    let mut all: Vec<Option<SurveyedGuest>> = guests.iter().map(|_| None).collect();
    rayon::scope_fifo(|scope| {
        for (guest, place) in guests.into_iter().zip(&mut all) {
            scope.spawn_fifo(move |scope| {
                match survey(guest, judge.policy, judge.index, observer) {
                    Err(error) => *place = Some(Err(error)),
                    Ok(survey) => scope.spawn_fifo(move |_| {
                        let judged = classify_unless_left_out(&survey, judge);
                        *place = Some(Ok((survey, judged)));
                    }),
                }
            });
        }
    });
    let all: Result<Vec<_>, _> = all.into_iter().flatten().collect();
    observer.notice(&Event::End);
    Ok(all?.into_iter().unzip())
}

/// A guest that is left out has no actions at all, and one beyond the reach of a method none of that.
pub(in crate::engine::planning) fn classify_unless_left_out(
    survey: &Survey,
    judge: &Judge<'_>,
) -> Classified {
    if survey.left_out.is_none() && !judge.beyond.contains(&survey.guest.id) {
        classify(survey, judge)
    } else {
        Classified::left_out(survey, judge)
    }
}

impl<'a> Judge<'a> {
    /// The same by other rules, of all guests.
    pub fn of_all(self, care: &'a Care) -> Judge<'a> {
        let beyond = &[];
        Judge {
            care,
            beyond,
            ..self
        }
    }
}
