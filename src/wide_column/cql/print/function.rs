//! Functions, aggregates and triggers.

use std::fmt::{self, Display, Formatter};

use super::{Joined, Pairs, Quoted, when};
use crate::wide_column::cql::ast::{CreateAggregate, CreateFunction, CreateTrigger, DropFunction};

impl Display for CreateFunction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (replace, guard) = (when(self.or_replace, "OR REPLACE "), when(self.if_not_exists, "IF NOT EXISTS "));
        let arguments = Pairs(&self.arguments, " ");
        write!(f, "CREATE {replace}FUNCTION {guard}{}({arguments}) ", self.name)?;
        f.write_str(if self.called_on_null { "CALLED" } else { "RETURNS NULL" })?;
        let body = Quoted(&self.body);
        write!(f, " ON NULL INPUT RETURNS {} LANGUAGE {} AS {body}", self.returns, self.language.as_str())
    }
}

impl Display for CreateAggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (replace, guard) = (when(self.or_replace, "OR REPLACE "), when(self.if_not_exists, "IF NOT EXISTS "));
        let arguments = Joined(&self.arguments, ", ");
        write!(f, "CREATE {replace}AGGREGATE {guard}{}({arguments}) ", self.name)?;
        write!(f, "SFUNC {} STYPE {}", self.state_function, self.state_type)?;
        self.final_function.iter().try_for_each(|function| write!(f, " FINALFUNC {function}"))?;
        self.initial.iter().try_for_each(|initial| write!(f, " INITCOND {initial}"))
    }
}

impl Display for DropFunction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kind = if self.is_aggregate { "AGGREGATE" } else { "FUNCTION" };
        write!(f, "DROP {kind} {}{}", when(self.if_exists, "IF EXISTS "), self.name)?;
        self.arguments.iter().try_for_each(|arguments| write!(f, "({})", Joined(arguments, ", ")))
    }
}

impl Display for CreateTrigger {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let guard = when(self.if_not_exists, "IF NOT EXISTS ");
        write!(f, "CREATE TRIGGER {guard}{} ON {} USING {}", self.name, self.table, Quoted(&self.class))
    }
}
