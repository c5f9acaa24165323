//! Latencies: how long the calls of commands took, and which took longer than `latency-monitor-threshold`.

use crate::server::redis::run::command::{Call, Handler, Outcome, command, container, help, is};
use crate::server::redis::state::latency::Event;

pub(super) const COMMANDS: &[Handler] = &[container("latency", SUBCOMMANDS)];

const SUBCOMMANDS: &[Handler] = &[
    command("doctor", doctor),
    command("graph", graph),
    command("help", help),
    command("histogram", histogram),
    command("history", history),
    command("latest", latest),
    command("reset", reset),
];

fn history(call: &mut Call<'_>) -> Outcome {
    let latencies = call.door.latencies.borrow();
    let samples: Vec<_> = latencies.get(call.word(2)).into_iter().flat_map(Event::samples).collect();
    call.reply.array(samples.len());
    for sample in samples {
        call.reply.array(2);
        call.reply.integer(sample.second);
        call.reply.count(sample.ms);
    }
    Ok(())
}

fn latest(call: &mut Call<'_>) -> Outcome {
    let latencies = call.door.latencies.borrow();
    let events: Vec<_> = latencies.events().filter_map(|(name, event)| Some((name, event, event.latest()?))).collect();
    call.reply.array(events.len());
    for (name, event, last) in events {
        call.reply.array(4);
        call.reply.bulk(name);
        call.reply.integer(last.second);
        call.reply.count(last.ms);
        call.reply.count(event.longest_ms);
    }
    Ok(())
}

fn histogram(call: &mut Call<'_>) -> Outcome {
    let names = call.rest(2);
    // A command stands for its subcommands too.
    let is_meant = |name: &str| {
        let command = name.split('|').next().unwrap_or(name);
        names.is_empty() || names.iter().any(|word| is(word, name) || is(word, command))
    };
    let lines = call.door.calls.tally.lines().filter(|(name, line)| line.calls() > 0 && is_meant(name));
    let lines: Vec<_> = lines.map(|(name, line)| (name, line.calls(), line.histogram())).collect();
    call.reply.map(lines.len());
    for (name, calls, buckets) in lines {
        call.reply.bulk(name);
        call.reply.map(2);
        call.reply.bulk("calls");
        call.reply.count(calls);
        call.reply.bulk("histogram_usec");
        call.reply.map(buckets.len());
        for (micros, count) in buckets {
            call.reply.count(micros);
            call.reply.count(count);
        }
    }
    Ok(())
}

fn reset(call: &mut Call<'_>) -> Outcome {
    let names = call.rest(2);
    let is_meant = |event: &str| names.is_empty() || names.iter().any(|name| is(name, event));
    let forgotten = call.door.latencies.borrow_mut().forget(is_meant);
    call.reply.count(forgotten as u64);
    Ok(())
}

fn doctor(call: &mut Call<'_>) -> Outcome {
    let latencies = call.door.latencies.borrow();
    let lines = latencies.events().map(|(name, event)| {
        format!(
            "{name}: {} samples, at most {} ms; SLOWLOG has the requests.\n",
            event.samples().len(),
            event.longest_ms
        )
    });
    let text: String = lines.collect();
    let text = match (text.is_empty(), call.door.parameters.latency_ms()) {
        (false, _) => &text,
        (true, 0) => "Latencies are not kept: set latency-monitor-threshold.\n",
        (true, _) => "Nothing took long.\n",
    };
    call.reply.verbatim(text);
    Ok(())
}

fn graph(call: &mut Call<'_>) -> Outcome {
    let name = String::from_utf8_lossy(call.word(2)).to_lowercase();
    let latencies = call.door.latencies.borrow();
    let Some(event) = latencies.get(call.word(2)) else {
        return Err(format!("ERR No samples available for event '{name}'").into());
    };
    call.reply.verbatim(&event.graph(&name));
    Ok(())
}
