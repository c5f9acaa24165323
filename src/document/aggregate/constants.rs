//! Expressions in the place of constants.

use bson::raw::RawDocumentBuf;
use bson::{Bson, DateTime};

use crate::document::code::Code;
use crate::document::expression::{Context, Env, Expression, Names};
use crate::document::raw::corrupt;
use crate::error::Result;

/// The value of an expression that depends on no document.
///
/// # Errors
/// [`Code::BUCKET_BOUND_NOT_CONSTANT`] for one that does, and those of its evaluation.
pub(super) fn constant(text: &Bson, names: &Names) -> Result<Bson> {
    let expression = Expression::compile(text, names)?;
    let mut depends = false;
    expression.each_path(&mut |_| depends = true);
    if depends {
        return Err(Code::BUCKET_BOUND_NOT_CONSTANT.syntax("a constant does not depend on documents"));
    }
    let (empty, context) = (RawDocumentBuf::new(), Context::new(DateTime::from_millis(0), 0, Vec::new()));
    let value = expression.evaluate(&mut Env::new(&empty, &context))?;
    Bson::try_from(value.or_null()).map_err(corrupt)
}
