//! The kinds of differences that are known, and why they are right. `docs/compatibility/dynamodb.md` lists them, too.

use crate::generate::Asked;

/// One kind.
struct Explained {
    /// Which operations; all if there is none.
    operations: &'static [&'static str],
    /// Parts of what Larder said, of which one is there.
    larder: &'static [&'static str],
    /// What Dynoxide said begins with one of these.
    dynoxide: &'static [&'static str],
    reason: &'static str,
}

/// What a request shows by itself, which the service finds before it looks for the table and before it reads an item.
const STATIC: Explained = Explained {
    operations: &[],
    larder: &[
        "Incorrect operand type for operator or function",
        "The BETWEEN operator requires",
        "The BETWEEN condition was provided a range",
        "Invalid attribute type name found",
        "The first operand must be distinct",
        "AttributeValue type",
        "AttributeValues inside AttributeValueList must be of same type",
        "Two document paths overlap",
        "is not defined; attribute",
        "unused in expressions",
        "Syntax error",
        "may not be empty",
        "contains invalid",
        "ReadCapacityUnits and WriteCapacityUnits must both be specified",
        "Number of parameters in request and statement don't match",
        "can only be specified when using expressions",
    ],
    dynoxide: &[
        "done",
        "ConditionalCheckFailed",
        "DuplicateItem",
        "TransactionCanceled",
        "ResourceNotFound",
        "ResourceInUse",
    ],
    reason: "what is wrong with a request by itself is found before the table and the item; Dynoxide finds it on the \
             way, or not at all",
};

const EXPLAINED: &[Explained] = &[
    STATIC,
    Explained {
        operations: &["Query", "Scan"],
        larder: &["does not project ["],
        dynoxide: &["done", "ValidationException"],
        reason: "a global index returns what it projects, and refuses to be asked for more; Dynoxide leaves it out",
    },
    Explained {
        operations: &["GetItem", "BatchGetItem", "Query", "Scan"],
        larder: &["Key attributes must be scalars"],
        dynoxide: &["done"],
        reason: "a projection of what is in an attribute of the key is refused; Dynoxide checks filters alone",
    },
    Explained {
        operations: &["UpdateItem", "TransactWriteItems"],
        larder: &["This attribute is part of the key"],
        dynoxide: &["done", "ConditionalCheckFailed", "TransactionCanceled", "ValidationException"],
        reason: "an update of an attribute of the key is refused before the condition is looked at; Dynoxide looks at \
                 the condition first, and lets transactions update keys",
    },
    Explained {
        operations: &["UpdateItem"],
        larder: &["at [].Attributes: null"],
        dynoxide: &["at [].Attributes: {"],
        reason: "an update that makes an item has no old attributes; Dynoxide returns those of the key",
    },
    Explained {
        operations: &["TransactGetItems"],
        larder: &["at [].Responses[].Item."],
        dynoxide: &["at [].Responses[].Item."],
        reason: "a projection is what it names; Dynoxide adds the key in transactions",
    },
    Explained {
        operations: &["BatchGetItem"],
        larder: &["Provided list of item keys contains duplicates"],
        dynoxide: &["done"],
        reason: "keys of equal numbers are one key, however they are written; Dynoxide compares texts",
    },
    Explained {
        operations: &["BatchGetItem"],
        larder: &["ResourceNotFound"],
        dynoxide: &["ValidationException: Provided list of item keys contains duplicates"],
        reason: "whether keys are the same is known when the table is; Dynoxide compares texts",
    },
    Explained {
        operations: &["Query"],
        larder: &["pages: 2"],
        dynoxide: &["pages without end"],
        reason: "nothing is behind the only item of a partition; Dynoxide returns it again for ever",
    },
    Explained {
        operations: &["Query", "Scan"],
        larder: &["at .ConsumedCapacity."],
        dynoxide: &["at .ConsumedCapacity."],
        reason: "items that a local index does not have whole are read from the table, which counts; Dynoxide does not \
                 read them, and does not count by local index",
    },
    Explained {
        operations: &["Query", "Scan"],
        larder: &["at .Items[].", "at .Count:"],
        dynoxide: &["at .Items[].", "at .Count:"],
        reason: "a local index reaches what it does not project; Dynoxide does not",
    },
    Explained {
        operations: &["Query"],
        larder: &["cannot contain an empty", "has exceeded the maximum size limit"],
        dynoxide: &["done"],
        reason: "a key of a query cannot be empty or too long; Dynoxide finds nothing",
    },
    Explained {
        operations: &[],
        larder: &["done"],
        dynoxide: &["SerializationException: Unexpected field type", "ValidationException: invalid type: null"],
        reason: "a member that is null, or that the operation does not have, is as one that is absent; Dynoxide reads it",
    },
    Explained {
        operations: &[],
        larder: &["done", "ConditionalCheckFailed", "TransactionCanceled"],
        dynoxide: &[
            "ValidationException: Invalid FilterExpression: Syntax error; token: \"(\"",
            "ValidationException: Invalid FilterExpression: Syntax error; token: \")\"",
            "ValidationException: Invalid ConditionExpression: Syntax error; token: \"(\"",
            "ValidationException: Invalid ConditionExpression: Syntax error; token: \")\"",
            "ValidationException: 1 validation error detected: Invalid ConditionExpression: Syntax error; token: \"(\"",
            "ValidationException: 1 validation error detected: Invalid ConditionExpression: Syntax error; token: \")\"",
        ],
        reason: "an operand may be in parentheses; Dynoxide takes conditions in them alone",
    },
    Explained {
        operations: &["TransactWriteItems"],
        larder: &["TransactionCanceled"],
        dynoxide: &[
            "TransactionCanceled",
            "ValidationException: Transaction request cannot include multiple operations",
        ],
        reason: "which reasons a transaction has beside that of a fault that its table shows: no document says. Here \
                 the conditions are not looked at any more",
    },
];

const SPOILED: &str =
    "a member of the request was spoiled: both refuse it, and tell of another fault or in other words";
const ORDER: &str = "both refuse a request with several faults, and tell of different ones";
const ENVELOPE: &str = "the same sentence with or without its envelope, as regions and months have it";
const WORDS: &str = "the same fault in other words";

/// Returns why a difference is none to mend.
pub fn reason(asked: &Asked, said: &[String; 2]) -> Option<&'static str> {
    let exception = |text: &'_ String| text.split(':').next().unwrap_or_default().to_owned();
    let exceptions = said.each_ref().map(exception);
    let is_refused = |name: &String| ["ValidationException", "SerializationException"].contains(&name.as_str());
    if exceptions.iter().all(is_refused) {
        if asked.is_spoiled {
            return Some(SPOILED);
        }
        let [larder, dynoxide] = said.each_ref().map(|text| text.replace("1 validation error detected: ", ""));
        if larder == dynoxide {
            return Some(ENVELOPE);
        }
        return Some(if sentence(&larder) == sentence(&dynoxide) { WORDS } else { ORDER });
    }
    if exceptions == ["ValidationException", "ResourceNotFoundException"] {
        return Some(STATIC.reason);
    }
    let known = EXPLAINED.iter().find(|known| {
        (known.operations.is_empty() || known.operations.contains(&asked.operation))
            && known.larder.iter().any(|part| said[0].contains(part))
            && known.dynoxide.iter().any(|part| said[1].starts_with(part))
    });
    known.map(|known| known.reason)
}

/// How a sentence begins, without the expression that it is about and the values in it.
fn sentence(text: &str) -> String {
    let text = text.trim_start_matches("ValidationException: ");
    let text = match text.split_once("Expression: ") {
        Some((start, rest)) if start.starts_with("Invalid ") => rest,
        _ => text,
    };
    text.chars().filter(|letter| letter.is_alphabetic()).take(40).collect()
}
