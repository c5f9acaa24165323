//! What `HELP` says of the subcommands of a command.

use crate::server::redis::spec::{Argument, Kind, Spec};

/// A text for people, line by line: how each subcommand is called, and what it does.
pub(crate) fn help(spec: &Spec) -> Vec<String> {
    let mut lines =
        vec![format!("{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", spec.name.to_uppercase())];
    let mut tell = |call: String, summary: &str| lines.extend([call, format!("    {summary}")]);
    // A command that may come by itself.
    if spec.has_arity(1) {
        tell("(no subcommand)".to_owned(), spec.summary);
    }
    for subcommand in &spec.subcommands {
        let mut call = subcommand.own_name().to_uppercase();
        for argument in &subcommand.arguments() {
            call.push(' ');
            call.push_str(&usage(argument));
        }
        tell(call, subcommand.summary);
    }
    lines
}

/// How an argument is written: `[COUNT <count>]`, `<key> [<key> ...]`, `(ON|OFF)`.
fn usage(argument: &Argument) -> String {
    let parts = |parts: &[Argument], separator: &str| parts.iter().map(usage).collect::<Vec<_>>().join(separator);
    let is_choice = matches!(argument.kind, Kind::OneOf(_));
    let value = match &argument.kind {
        Kind::Token => String::new(),
        Kind::Word(_) | Kind::Key(_) => format!("<{}>", argument.name),
        // Brackets around it are enough, when nothing stands between them and it.
        Kind::OneOf(choices) if argument.is_optional && argument.token.is_none() && !argument.is_multiple => {
            parts(choices, "|")
        }
        Kind::OneOf(choices) => format!("({})", parts(choices, "|")),
        Kind::Block(block) => parts(block, " "),
    };
    let mut text = match argument.token {
        Some(token) if value.is_empty() => token.to_owned(),
        Some(token) if argument.repeats_token || !argument.is_multiple => format!("{token} {value}"),
        Some(token) => format!("{token} {value} [{value} ...]"),
        None => value.clone(),
    };
    if argument.is_multiple && (argument.token.is_none() || argument.repeats_token) {
        text = match argument.kind {
            _ if is_choice && argument.is_optional => format!("{text} ..."),
            _ => format!("{text} [{text} ...]"),
        };
    }
    if argument.is_optional { format!("[{text}]") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::redis::spec::find;

    fn called(arguments: &'static str) -> String {
        Argument::parse_all(arguments).unwrap().iter().map(usage).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn arguments_are_written_as_manuals_do() {
        for (arguments, text) in [
            ("key:key [count:integer]", "<key> [<count>]"),
            ("username... [rule...]", "<username> [<username> ...] [<rule> [<rule> ...]]"),
            ("<mode YES|NO> [<async ASYNC|SYNC>]", "(YES|NO) [ASYNC|SYNC]"),
            ("<operation count:integer|RESET>", "(<count>|RESET)"),
            ("{parameter-value parameter value}...", "<parameter> <value> [<parameter> <value> ...]"),
            ("[SAMPLES=count:integer] [FULL={full [COUNT=count:integer]}]", "[SAMPLES <count>] [FULL [COUNT <count>]]"),
            ("[ID={id client-id:integer...}]", "[ID <client-id> [<client-id> ...]]"),
            ("[PREFIX=prefix...+] [ARGS=arg...]", "[PREFIX <prefix> [PREFIX <prefix> ...]] [ARGS <arg> [<arg> ...]]"),
            ("[FILTERBY=<by MODULE=name|PATTERN=pattern:pattern>]", "[FILTERBY (MODULE <name>|PATTERN <pattern>)]"),
        ] {
            assert_eq!(called(arguments), text);
        }
    }

    #[test]
    fn help_tells_each_subcommand_in_two_lines() {
        let lines = help(find(b"memory").unwrap());
        assert_eq!(lines[0], "MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
        let usage = lines.iter().position(|line| line == "USAGE <key> [SAMPLES <count>]").unwrap();
        assert!(lines[usage + 1].starts_with("    ") && lines[usage + 1].len() > 10);
        assert!(help(find(b"command").unwrap()).contains(&"(no subcommand)".to_owned()));
        assert!(!lines.contains(&"(no subcommand)".to_owned()));
    }
}
