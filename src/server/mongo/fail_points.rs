//! Failures on request: `configureFailPoint` with `failCommand`, `onPrimaryTransactionalWrite` and `maxTimeAlwaysTimeOut`.
//!
//! A test says which commands are to fail, how, and how often; drivers' own tests ask for this, and so may yours. Offered only by a
//! door that was opened for tests.
//!
//! # Source
//! MongoDB's public tests of drivers; MongoDB manual, `configureFailPoint`.

use std::time::Duration;

use bson::{Document, RawBsonRef, RawDocument};
use parking_lot::Mutex;

use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::integer_of;

/// What becomes of a command that is to fail.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fault {
    /// How long it is held up first.
    pub(super) delay: Option<Duration>,
    /// The connection ends without a reply.
    pub(super) closes_connection: bool,
    /// The command is refused, and does nothing.
    pub(super) failure: Option<Failure>,
    /// The command runs, and its reply says this of the write concern.
    pub(super) write_concern_error: Option<Document>,
    /// Labels that the reply gets beside.
    pub(super) labels: Option<Vec<String>>,
}

/// The fail point `failCommand`, as it was set last.
#[derive(Debug, Default)]
pub(super) struct FailPoints {
    command: Mutex<Option<FailCommand>>,
    /// How often it has failed a command.
    entered: std::sync::atomic::AtomicI64,
    /// `maxTimeAlwaysTimeOut`: commands that say how long they may take have taken too long.
    time_out: Mutex<Option<Mode>>,
    /// `onPrimaryTransactionalWrite`: writes that can be sent again are cut off.
    write: Mutex<Option<FailWrite>>,
}

/// The fail point `onPrimaryTransactionalWrite`.
#[derive(Debug)]
struct FailWrite {
    mode: Mode,
    fault: WriteFault,
}

/// What becomes of a write that can be sent again, and is to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WriteFault {
    /// The code with which it fails before anything is written.
    pub(super) code: Option<i32>,
    /// The connection ends without a reply.
    pub(super) closes_connection: bool,
}

#[derive(Debug)]
struct FailCommand {
    mode: Mode,
    commands: Vec<String>,
    /// Only clients of this name.
    app_name: Option<String>,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    AlwaysOn,
    /// So many times more.
    Times(i64),
    /// From the command after so many.
    Skip(i64),
}

impl FailPoints {
    /// Sets `failCommand`, or turns it off; returns how often it has failed a command so far.
    ///
    /// # Errors
    /// Codes 2, 9 and 14 for a mode or data that are not what the manual says.
    pub(super) fn set(&self, mode: Option<RawBsonRef<'_>>, data: Option<&RawDocument>) -> Result<i64> {
        let mode = mode.ok_or_else(|| invalid("a fail point needs a mode"))?;
        let set = match parse_mode(mode)? {
            None => None,
            Some(mode) => Some(FailCommand::parse(mode, data)?),
        };
        *self.command.lock() = set;
        Ok(self.entered.load(std::sync::atomic::Ordering::Relaxed))
    }

    /// Sets `maxTimeAlwaysTimeOut`, or turns it off.
    ///
    /// # Errors
    /// As [`FailPoints::set`].
    pub(super) fn set_time_out(&self, mode: Option<RawBsonRef<'_>>) -> Result<()> {
        *self.time_out.lock() = parse_mode(mode.ok_or_else(|| invalid("a fail point needs a mode"))?)?;
        Ok(())
    }

    /// Sets `onPrimaryTransactionalWrite`, or turns it off.
    ///
    /// # Errors
    /// As [`FailPoints::set`].
    pub(super) fn set_write(&self, mode: Option<RawBsonRef<'_>>, data: Option<&RawDocument>) -> Result<()> {
        let mode = parse_mode(mode.ok_or_else(|| invalid("a fail point needs a mode"))?)?;
        let mut fault = WriteFault { code: None, closes_connection: true };
        for element in data.into_iter().flat_map(RawDocument::iter) {
            let (name, value) = element.map_err(|error| invalid(error.to_string()))?;
            match name.as_str() {
                "closeConnection" => fault.closes_connection = value.as_bool().unwrap_or(true),
                "failBeforeCommitExceptionCode" => {
                    fault.code = integer_of(value).and_then(|code| i32::try_from(code).ok());
                }
                other => return Err(invalid(format!("onPrimaryTransactionalWrite does not take {other:?}"))),
            }
        }
        *self.write.lock() = mode.map(|mode| FailWrite { mode, fault });
        Ok(())
    }

    /// What is to become of a command with so many writes that can be sent again; counts them. The command fails when one of them
    /// is to, and as a whole.
    pub(super) fn write_fault(&self, writes: usize) -> Option<WriteFault> {
        let mut set = self.write.lock();
        let point = set.as_mut()?;
        let due = (0..writes).filter(|_| point.mode.is_due()).count();
        (due > 0).then_some(point.fault)
    }

    /// Whether a command that says how long it may take has taken too long; counts it.
    pub(super) fn times_out(&self) -> bool {
        self.time_out.lock().as_mut().is_some_and(Mode::is_due)
    }

    /// What is to become of `command` of a client that calls itself `app_name`.
    pub(super) fn fault(&self, command: &str, app_name: Option<&str>) -> Option<Fault> {
        let mut set = self.command.lock();
        let point = set.as_mut()?;
        let is_meant = point.commands.iter().any(|name| name == command)
            && point.app_name.as_deref().is_none_or(|wanted| app_name == Some(wanted));
        if !is_meant || !point.mode.is_due() {
            return None;
        }
        self.entered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Some(point.fault.clone())
    }
}

impl FailCommand {
    fn parse(mode: Mode, data: Option<&RawDocument>) -> Result<Self> {
        let mut point = Self { mode, commands: Vec::new(), app_name: None, fault: Fault::default() };
        let (mut error_code, mut blocks, mut delay) = (None, false, 0);
        for element in data.into_iter().flat_map(RawDocument::iter) {
            let (name, value) = element.map_err(|error| invalid(error.to_string()))?;
            match name.as_str() {
                "failCommands" => point.commands = texts(value)?,
                "appName" => point.app_name = value.as_str().map(str::to_owned),
                "closeConnection" => point.fault.closes_connection = value.as_bool().unwrap_or(false),
                "errorCode" => error_code = integer_of(value).and_then(|code| i32::try_from(code).ok()),
                "errorLabels" => point.fault.labels = Some(texts(value)?),
                "writeConcernError" => {
                    let document = value.as_document().ok_or_else(|| invalid("writeConcernError is not a document"))?;
                    let document = Document::try_from(document).map_err(|error| invalid(error.to_string()))?;
                    point.fault.write_concern_error = Some(document);
                }
                "blockConnection" => blocks = value.as_bool().unwrap_or(false),
                "blockTimeMS" => delay = integer_of(value).and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0),
                // These say whose commands are meant, among servers of which there is one.
                "failInternalCommands" | "failLocalClients" => {}
                other => return Err(invalid(format!("failCommand does not take {other:?}"))),
            }
        }
        point.fault.delay = blocks.then(|| Duration::from_millis(delay));
        point.fault.failure = error_code.map(|code| {
            let labels = point.fault.labels.clone().unwrap_or_default();
            Failure { labels, ..Failure::new(code, "Failing command via 'failCommand' failpoint") }
        });
        Ok(point)
    }
}

impl Mode {
    /// Whether the command that has come is one that fails; counts it.
    fn is_due(&mut self) -> bool {
        match self {
            Self::Times(0) => false,
            Self::Times(left) => {
                *left -= 1;
                true
            }
            Self::Skip(left) if *left > 0 => {
                *left -= 1;
                false
            }
            Self::AlwaysOn | Self::Skip(_) => true,
        }
    }
}

/// `None` turns the point off.
fn parse_mode(mode: RawBsonRef<'_>) -> Result<Option<Mode>> {
    let times = |document: &RawDocument, name: &str| document.get(name).ok().flatten().and_then(integer_of);
    match mode {
        RawBsonRef::String("off") => Ok(None),
        RawBsonRef::String("alwaysOn") => Ok(Some(Mode::AlwaysOn)),
        RawBsonRef::Document(document) => {
            let count = times(document, "times")
                .map(|times| Mode::Times(times.max(0)))
                .or_else(|| times(document, "skip").map(Mode::Skip));
            count.map(Some).ok_or_else(|| invalid("the mode of a fail point is off, alwaysOn, times or skip"))
        }
        _ => Err(invalid("the mode of a fail point is off, alwaysOn, times or skip")),
    }
}

fn texts(value: RawBsonRef<'_>) -> Result<Vec<String>> {
    let array = value.as_array().ok_or_else(|| Failure::new(code::TYPE_MISMATCH, "an array of strings is needed"))?;
    let text = |element: RawBsonRef<'_>| element.as_str().map(str::to_owned);
    let texts: Option<Vec<_>> = array.into_iter().map(|element| element.ok().and_then(text)).collect();
    texts.ok_or_else(|| Failure::new(code::TYPE_MISMATCH, "an array of strings is needed"))
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(code::BAD_VALUE, message)
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use super::*;

    fn points(mode: &bson::RawDocumentBuf, data: &bson::RawDocumentBuf) -> FailPoints {
        let points = FailPoints::default();
        points.set(mode.get("mode").unwrap(), Some(data)).unwrap();
        points
    }

    #[test]
    fn named_commands_fail_as_often_as_was_asked() {
        let data = rawdoc! { "failCommands": ["find", "insert"], "errorCode": 91, "errorLabels": ["L"] };
        let points = points(&rawdoc! { "mode": { "times": 2 } }, &data);
        assert_eq!(points.fault("update", None), None);
        let fault = points.fault("find", None).unwrap();
        let failure = fault.failure.unwrap();
        assert_eq!((failure.code, failure.labels), (91, vec!["L".to_owned()]));
        assert!(points.fault("insert", None).is_some());
        assert_eq!(points.fault("find", None), None, "it has failed twice");
    }

    #[test]
    fn a_fail_point_can_skip_commands_and_mean_one_client() {
        let data = rawdoc! { "failCommands": ["find"], "closeConnection": true, "appName": "a" };
        let points = points(&rawdoc! { "mode": { "skip": 1 } }, &data);
        assert_eq!(points.fault("find", Some("b")), None);
        assert_eq!(points.fault("find", Some("a")), None, "skipped");
        assert!(points.fault("find", Some("a")).unwrap().closes_connection);
        points.set(Some(RawBsonRef::String("off")), None).unwrap();
        assert_eq!(points.fault("find", Some("a")), None);
    }

    #[test]
    fn commands_with_a_time_can_be_made_to_take_too_long() {
        let points = FailPoints::default();
        assert!(!points.times_out());
        points.set_time_out(Some(RawBsonRef::String("alwaysOn"))).unwrap();
        assert!(points.times_out() && points.times_out());
        points.set_time_out(Some(RawBsonRef::String("off"))).unwrap();
        assert!(!points.times_out() && points.set_time_out(None).is_err());
    }

    #[test]
    fn writes_that_can_be_sent_again_are_cut_off_one_by_one() {
        let points = FailPoints::default();
        assert_eq!(points.write_fault(1), None);
        let skip = rawdoc! { "mode": { "skip": 2 } };
        points.set_write(skip.get("mode").unwrap(), None).unwrap();
        assert_eq!(points.write_fault(2), None, "skipped");
        assert_eq!(points.write_fault(1), Some(WriteFault { code: None, closes_connection: true }));
        let data = rawdoc! { "failBeforeCommitExceptionCode": 1, "closeConnection": false };
        let once = rawdoc! { "mode": { "times": 1 } };
        points.set_write(once.get("mode").unwrap(), Some(&data)).unwrap();
        assert_eq!(points.write_fault(3), Some(WriteFault { code: Some(1), closes_connection: false }));
        assert_eq!(points.write_fault(3), None);
        assert!(points.set_write(once.get("mode").unwrap(), Some(&rawdoc! { "nosuch": 1 })).is_err());
    }

    #[test]
    fn what_is_no_fail_point_is_refused() {
        let points = FailPoints::default();
        assert!(points.set(None, None).is_err());
        assert!(points.set(Some(RawBsonRef::String("sometimes")), None).is_err());
        let data = rawdoc! { "failCommands": "find" };
        assert!(points.set(Some(RawBsonRef::String("alwaysOn")), Some(&data)).is_err());
        let data = rawdoc! { "nosuch": 1 };
        assert!(points.set(Some(RawBsonRef::String("alwaysOn")), Some(&data)).is_err());
    }
}
