//! Syntax trees made up at random: only such as the parser makes.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::wide_column::cql::ast::*;
use crate::wide_column::role::Permission;

/// Few names, of which many mean something elsewhere.
pub(super) fn name() -> impl Strategy<Value = Name> {
    let names = [
        "a", "b", "B", "ttl", "json", "key", "select", "x \"y'z", "expr", "int", "byte", "token", "count", "as", "per",
        "exists", "values", "distinct", "true", "nan", "p1y", "é", "list",
    ];
    select(names.to_vec()).prop_map(Name::exact)
}

fn qualified() -> impl Strategy<Value = QualifiedName> {
    (option::of(name()), name()).prop_map(|(keyspace, name)| QualifiedName { keyspace, name })
}

fn literal() -> impl Strategy<Value = Literal> {
    let literals = [
        (LiteralKind::String, "it's"),
        (LiteralKind::String, ""),
        (LiteralKind::String, "$$ -- /* \n"),
        (LiteralKind::Integer, "7"),
        (LiteralKind::Integer, "-12345678901234567890"),
        (LiteralKind::Float, "1."),
        (LiteralKind::Float, "-1.5e-7"),
        (LiteralKind::Float, "NaN"),
        (LiteralKind::Float, "-Infinity"),
        (LiteralKind::Boolean, "true"),
        (LiteralKind::Boolean, "False"),
        (LiteralKind::Duration, "-1h30m"),
        (LiteralKind::Duration, "P1Y2M3DT4H5M6S"),
        (LiteralKind::Duration, "3µs"),
        (LiteralKind::Uuid, "deadbeef-dead-beef-dead-beefdeadbeef"),
        (LiteralKind::Hex, "0xCafe"),
        (LiteralKind::Hex, "0x"),
    ];
    select(literals.to_vec()).prop_map(|(kind, text)| Literal { kind, text: text.into() })
}

fn marker() -> impl Strategy<Value = Marker> {
    // The numbers are compared after parsing only.
    option::of(name()).prop_map(|name| Marker { index: 0, name })
}

fn native() -> impl Strategy<Value = NativeType> {
    select(NativeType::ALL.to_vec())
}

pub(super) fn type_name() -> impl Strategy<Value = TypeName> {
    let leaf = prop_oneof![
        3 => native().prop_map(TypeName::Native),
        1 => qualified().prop_map(TypeName::User),
        1 => Just(TypeName::Custom("org.example.Type".into())),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|element| TypeName::List(Box::new(element))),
            inner.clone().prop_map(|element| TypeName::Set(Box::new(element))),
            (inner.clone(), inner.clone()).prop_map(|(key, value)| TypeName::Map(Box::new(key), Box::new(value))),
            vec(inner.clone(), 1..3).prop_map(TypeName::Tuple),
            (inner.clone(), 1..9u32).prop_map(|(element, dimension)| TypeName::Vector(Box::new(element), dimension)),
            inner.prop_filter_map("only what has parts is frozen", |inner| {
                (!matches!(inner, TypeName::Native(_))).then(|| TypeName::Frozen(Box::new(inner)))
            }),
        ]
    })
}

fn call<T: std::fmt::Debug + Clone + 'static>(argument: BoxedStrategy<T>) -> impl Strategy<Value = Call<T>> {
    (qualified(), vec(argument, 0..3)).prop_map(|(function, arguments)| Call { function, arguments })
}

/// Simple terms of which every deeper one is a whole term.
fn simple_term(term: BoxedStrategy<Term>) -> BoxedStrategy<Term> {
    let leaf = prop_oneof![
        4 => literal().prop_map(Term::Literal),
        1 => Just(Term::Null),
        2 => marker().prop_map(Term::Marker),
    ];
    // A hint is not followed by a named marker in the key of a map.
    let hinted = prop_oneof![
        literal().prop_map(Term::Literal),
        Just(Term::Null),
        vec(term.clone(), 0..2).prop_map(Term::List),
        call(term.clone()).prop_map(Term::Call),
    ];
    prop_oneof![
        4 => leaf,
        1 => vec(term.clone(), 0..3).prop_map(Term::List),
        1 => vec(term.clone(), 0..3).prop_map(Term::Set),
        1 => vec((term.clone(), term.clone()), 1..3).prop_map(Term::Map),
        1 => vec((name(), term.clone()), 1..3).prop_map(Term::UserType),
        1 => vec(term.clone(), 1..3).prop_map(Term::Tuple),
        1 => call(term).prop_map(Term::Call),
        1 => (type_name(), hinted.clone()).prop_map(|(hint, term)| Term::Hint(hint, Box::new(term))),
        1 => (hinted, native()).prop_map(|(term, to)| Term::Cast(Box::new(term), to)),
    ]
    .boxed()
}

/// Operators between `part`s, as they bind.
fn chain<T: Clone + std::fmt::Debug + 'static>(
    part: BoxedStrategy<T>,
    join: fn(Box<T>, Arithmetic, Box<T>) -> T,
) -> BoxedStrategy<T> {
    let times = select(vec![Arithmetic::Multiply, Arithmetic::Divide, Arithmetic::Remainder]);
    let plus = select(vec![Arithmetic::Add, Arithmetic::Subtract]);
    let fold = move |(first, rest): (T, Vec<(Arithmetic, T)>)| {
        rest.into_iter().fold(first, |left, (operator, right)| join(Box::new(left), operator, Box::new(right)))
    };
    let product = (part.clone(), vec((times, part), 0..2)).prop_map(fold).boxed();
    (product.clone(), vec((plus, product), 0..2)).prop_map(fold).boxed()
}

pub(super) fn term() -> BoxedStrategy<Term> {
    let mut term = simple_term(literal().prop_map(Term::Literal).boxed());
    for _ in 0..2 {
        let simple = simple_term(term);
        let signed = prop_oneof![
            5 => simple.clone(),
            1 => simple.clone().prop_map(|term| Term::Negation(Box::new(term))),
        ];
        term = prop_oneof![4 => simple, 1 => chain(signed.boxed(), Term::Operation)].boxed();
    }
    term
}

fn integer() -> impl Strategy<Value = Term> {
    let number = Literal { kind: LiteralKind::Integer, text: "7".into() };
    prop_oneof![Just(Term::Literal(number)), marker().prop_map(Term::Marker)]
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    select(vec![Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual])
}

fn in_values() -> impl Strategy<Value = InValues> {
    prop_oneof![marker().prop_map(InValues::Marker), vec(term(), 0..3).prop_map(InValues::List)]
}

fn tuple() -> impl Strategy<Value = Term> {
    vec(term(), 1..3).prop_map(Term::Tuple)
}

fn columns() -> impl Strategy<Value = Vec<Name>> {
    vec(name(), 1..3)
}

fn relation() -> impl Strategy<Value = Relation> {
    let marker_term = || marker().prop_map(Term::Marker);
    let tuples = prop_oneof![
        marker().prop_map(InTuples::Marker),
        vec(tuple(), 0..3).prop_map(InTuples::List),
        vec(marker_term(), 1..3).prop_map(InTuples::List),
    ];
    prop_oneof![
        3 => (name(), comparison(), term())
            .prop_map(|(column, comparison, value)| Relation::Column { column, comparison, value }),
        1 => (name(), term()).prop_map(|(column, pattern)| Relation::Like { column, pattern }),
        1 => name().prop_map(Relation::IsNotNull),
        1 => (name(), in_values()).prop_map(|(column, values)| Relation::In { column, values }),
        1 => (name(), any::<bool>(), term())
            .prop_map(|(column, key, value)| Relation::Contains { column, key, value }),
        1 => (name(), term(), comparison(), term())
            .prop_map(|(column, key, comparison, value)| Relation::Element { column, key, comparison, value }),
        1 => (columns(), comparison(), term())
            .prop_map(|(columns, comparison, value)| Relation::Token { columns, comparison, value }),
        1 => (columns(), comparison(), prop_oneof![tuple(), marker_term()])
            .prop_map(|(columns, comparison, value)| Relation::Columns { columns, comparison, value }),
        1 => (columns(), tuples).prop_map(|(columns, values)| Relation::ColumnsIn { columns, values }),
        1 => (name(), term()).prop_map(|(index, value)| Relation::Expression { index, value }),
    ]
}

/// Selectors that an element or field may be taken of without parentheses.
fn whole_selector(selector: BoxedStrategy<Selector>) -> BoxedStrategy<Selector> {
    prop_oneof![
        4 => name().prop_map(Selector::Column),
        1 => marker().prop_map(Selector::Marker),
        1 => call(selector.clone()).prop_map(Selector::Call),
        1 => Just(Selector::CountRows),
        1 => (selector.clone(), native()).prop_map(|(of, to)| Selector::Cast(Box::new(of), to)),
        1 => vec(selector.clone(), 0..3).prop_map(Selector::List),
        1 => vec(selector.clone(), 0..3).prop_map(Selector::Set),
        1 => vec((selector.clone(), selector), 1..3).prop_map(Selector::MapOrUserType),
    ]
    .boxed()
}

fn within(whole: BoxedStrategy<Selector>) -> BoxedStrategy<Selector> {
    prop_oneof![
        3 => whole.clone(),
        1 => (whole.clone(), name()).prop_map(|(of, field)| Selector::Field(Box::new(of), field)),
        1 => (whole.clone(), term()).prop_map(|(of, key)| Selector::Element(Box::new(of), key)),
        1 => (whole, option::of(term()), option::of(term())).prop_map(|(of, from, to)| {
            // One of the two has to be there.
            if from.is_none() && to.is_none() { of } else { Selector::Slice(Box::new(of), from, to) }
        }),
    ]
    .boxed()
}

fn simple_selector(selector: BoxedStrategy<Selector>) -> BoxedStrategy<Selector> {
    let functions = vec![TimeFunction::WriteTime, TimeFunction::MaxWriteTime, TimeFunction::Ttl];
    let whole = whole_selector(selector.clone());
    let timed = within(within(name().prop_map(Selector::Column).boxed()));
    let hinted = prop_oneof![literal().prop_map(Selector::Literal), name().prop_map(Selector::Column)];
    prop_oneof![
        4 => within(within(whole)),
        2 => literal().prop_map(Selector::Literal),
        1 => Just(Selector::Null),
        1 => (select(functions), timed).prop_map(|(function, of)| Selector::Time(function, Box::new(of))),
        1 => vec(selector, 1..3).prop_map(Selector::Tuple),
        1 => (type_name(), hinted).prop_map(|(hint, of)| Selector::Hint(hint, Box::new(of))),
    ]
    .boxed()
}

pub(super) fn selector() -> BoxedStrategy<Selector> {
    let mut selector = simple_selector(name().prop_map(Selector::Column).boxed());
    for _ in 0..2 {
        let simple = simple_selector(selector);
        let signed = prop_oneof![
            5 => simple.clone(),
            1 => simple.clone().prop_map(|of| Selector::Negation(Box::new(of))),
            1 => simple.clone().prop_map(|of| Selector::Negation(Box::new(Selector::Negation(Box::new(of))))),
        ];
        selector = prop_oneof![4 => simple, 1 => chain(signed.boxed(), Selector::Operation)].boxed();
    }
    selector
}

fn selection() -> impl Strategy<Value = Selection> {
    let selected = (selector(), option::of(name())).prop_map(|(selector, alias)| Selected { selector, alias });
    prop_oneof![1 => Just(Selection::All), 4 => vec(selected, 1..4).prop_map(Selection::Some)]
}

fn select_statement() -> impl Strategy<Value = Select> {
    let ordering = (name(), option::of(term()), any::<bool>()).prop_map(|(column, ann_of, descending)| Ordering {
        column,
        ann_of,
        descending,
    });
    let what = (any::<bool>(), any::<bool>(), selection(), qualified(), vec(relation(), 0..3));
    let how = (vec(selector(), 0..2), vec(ordering, 0..2), option::of(integer()), option::of(integer()), any::<bool>());
    (what, how).prop_map(|((json, distinct, selection, table, relations), how)| {
        let (group_by, order_by, per_partition_limit, limit, allow_filtering) = how;
        Select {
            json,
            distinct,
            selection,
            table,
            relations,
            group_by,
            order_by,
            per_partition_limit,
            limit,
            allow_filtering,
        }
    })
}

fn using() -> impl Strategy<Value = Vec<Using>> {
    vec(prop_oneof![integer().prop_map(Using::Timestamp), integer().prop_map(Using::Ttl)], 0..3)
}

fn guard() -> impl Strategy<Value = Guard> {
    let target = prop_oneof![
        Just(ConditionTarget::Column),
        term().prop_map(ConditionTarget::Element),
        name().prop_map(ConditionTarget::Field)
    ];
    let test = prop_oneof![
        (comparison(), term()).prop_map(|(comparison, value)| ConditionTest::Compare(comparison, value)),
        in_values().prop_map(ConditionTest::In),
    ];
    let contains = (name(), any::<bool>(), term()).prop_map(|(column, key, value)| Condition {
        column,
        target: ConditionTarget::Column,
        test: ConditionTest::Contains { key, value },
    });
    let other = (name(), target, test).prop_map(|(column, target, test)| Condition { column, target, test });
    prop_oneof![
        2 => Just(Guard::None),
        1 => Just(Guard::Exists),
        2 => vec(prop_oneof![3 => other, 1 => contains], 1..3).prop_map(Guard::Conditions),
    ]
}

fn assignment() -> impl Strategy<Value = Assignment> {
    prop_oneof![
        (name(), term()).prop_map(|(column, value)| Assignment::Set(column, value)),
        (name(), term()).prop_map(|(column, value)| Assignment::Add(column, value)),
        (name(), term()).prop_map(|(column, value)| Assignment::Subtract(column, value)),
        (name(), term()).prop_map(|(column, value)| Assignment::Prepend(column, value)),
        (name(), term(), term()).prop_map(|(column, key, value)| Assignment::SetElement(column, key, value)),
        (name(), name(), term()).prop_map(|(column, field, value)| Assignment::SetField(column, field, value)),
    ]
}

fn modification() -> BoxedStrategy<Modification> {
    let insert = (qualified(), vec(name(), 1..4), vec(term(), 1..4), any::<bool>(), using()).prop_map(
        |(table, columns, values, if_not_exists, using)| {
            Modification::Insert(Box::new(Insert { table, columns, values, if_not_exists, using }))
        },
    );
    let json = prop_oneof![Just(JsonValue::Text("{\"a\": 'b'}".into())), marker().prop_map(JsonValue::Marker)];
    let insert_json = (qualified(), json, any::<bool>(), any::<bool>(), using()).prop_map(
        |(table, json, default_unset, if_not_exists, using)| {
            Modification::InsertJson(Box::new(InsertJson { table, json, default_unset, if_not_exists, using }))
        },
    );
    // Two assignments might exclude each other.
    let update = (qualified(), using(), vec(assignment(), 1..2), vec(relation(), 1..3), guard()).prop_map(
        |(table, using, assignments, relations, guard)| {
            Modification::Update(Box::new(Update { table, using, assignments, relations, guard }))
        },
    );
    let deletion = prop_oneof![
        name().prop_map(Deletion::Column),
        (name(), term()).prop_map(|(column, key)| Deletion::Element(column, key)),
        (name(), name()).prop_map(|(column, field)| Deletion::Field(column, field)),
    ];
    let delete = (vec(deletion, 0..3), qualified(), option::of(integer()), vec(relation(), 1..3), guard()).prop_map(
        |(deletions, table, timestamp, relations, guard)| {
            Modification::Delete(Box::new(Delete { deletions, table, timestamp, relations, guard }))
        },
    );
    prop_oneof![insert, insert_json, update, delete].boxed()
}

fn property_map() -> impl Strategy<Value = Vec<(Literal, Literal)>> {
    option::of((literal(), literal())).prop_map(|entry| entry.into_iter().collect())
}

fn property() -> impl Strategy<Value = Property> {
    let value = prop_oneof![
        literal().prop_map(PropertyValue::Literal),
        select(vec!["all", "int", "json"]).prop_map(|word| PropertyValue::Word(Name::exact(word))),
        property_map().prop_map(PropertyValue::Map),
    ];
    (name(), value).prop_map(|(name, value)| Property { name, value })
}

fn table_properties() -> impl Strategy<Value = Vec<TableProperty>> {
    let order = (name(), any::<bool>()).prop_map(|(column, descending)| ClusteringOrder { column, descending });
    let other =
        prop_oneof![Just(TableProperty::CompactStorage), vec(order, 1..3).prop_map(TableProperty::ClusteringOrder)];
    (option::of(property()), option::of(other))
        .prop_map(|(property, other)| property.map(TableProperty::Property).into_iter().chain(other).collect())
}

fn primary_key() -> impl Strategy<Value = PrimaryKey> {
    (vec(name(), 1..3), vec(name(), 0..3)).prop_map(|(partition, clustering)| PrimaryKey { partition, clustering })
}

fn column_definition() -> impl Strategy<Value = ColumnDefinition> {
    let mask = prop_oneof![
        Just(Mask::Default),
        (qualified(), vec(term(), 0..2)).prop_map(|(function, arguments)| Mask::Function(function, arguments))
    ];
    (name(), type_name(), any::<bool>(), option::of(mask))
        .prop_map(|(name, column_type, is_static, mask)| ColumnDefinition { name, column_type, is_static, mask })
}

fn create_table() -> impl Strategy<Value = Statement> {
    let columns = vec(column_definition(), 1..4).prop_map(|mut columns| {
        let mut names = Vec::new();
        columns.retain(|column| {
            let is_new = !names.contains(&column.name);
            names.push(column.name.clone());
            is_new
        });
        columns
    });
    (any::<bool>(), qualified(), columns, option::of(primary_key()), table_properties()).prop_map(
        |(if_not_exists, name, columns, primary_key, properties)| {
            Statement::CreateTable(Box::new(CreateTable { if_not_exists, name, columns, primary_key, properties }))
        },
    )
}

fn renames() -> impl Strategy<Value = Vec<(Name, Name)>> {
    vec((name(), name()), 1..3)
}

fn alter_table() -> impl Strategy<Value = Statement> {
    let change = prop_oneof![
        (name(), type_name()).prop_map(|(column, to)| AlterTableChange::Type(column, to)),
        (any::<bool>(), name(), option::of(Just(Mask::Default)))
            .prop_map(|(if_exists, column, mask)| AlterTableChange::Mask { if_exists, column, mask }),
        (any::<bool>(), vec(column_definition(), 1..3))
            .prop_map(|(if_not_exists, columns)| AlterTableChange::Add { if_not_exists, columns }),
        (any::<bool>(), columns(), option::of(any::<i64>()))
            .prop_map(|(if_exists, columns, timestamp)| AlterTableChange::Drop { if_exists, columns, timestamp }),
        Just(AlterTableChange::DropCompactStorage),
        (any::<bool>(), renames()).prop_map(|(if_exists, renames)| AlterTableChange::Rename { if_exists, renames }),
        property().prop_map(|property| AlterTableChange::Properties(vec![property])),
    ];
    (any::<bool>(), qualified(), change)
        .prop_map(|(if_exists, name, change)| Statement::AlterTable(Box::new(AlterTable { if_exists, name, change })))
}

fn user_type() -> impl Strategy<Value = Statement> {
    let change = prop_oneof![
        (name(), type_name()).prop_map(|(field, to)| AlterTypeChange::Type(field, to)),
        (any::<bool>(), name(), type_name()).prop_map(|(if_not_exists, field, field_type)| AlterTypeChange::Add {
            if_not_exists,
            field,
            field_type
        }),
        (any::<bool>(), renames()).prop_map(|(if_exists, renames)| AlterTypeChange::Rename { if_exists, renames }),
    ];
    prop_oneof![
        (any::<bool>(), qualified(), vec((name(), type_name()), 1..3))
            .prop_map(|(if_not_exists, name, fields)| CreateType { if_not_exists, name, fields })
            .prop_map(Statement::CreateType),
        (any::<bool>(), qualified(), change).prop_map(|(if_exists, name, change)| Statement::AlterType(AlterType {
            if_exists,
            name,
            change
        })),
    ]
}

fn index_or_view() -> impl Strategy<Value = Statement> {
    use TargetKind::{Entries, Full, Keys, Simple, Values};
    let target = (name(), select(vec![Simple, Values, Keys, Entries, Full]))
        .prop_map(|(column, kind)| IndexTarget { column, kind });
    let names = (any::<bool>(), any::<bool>(), option::of(name()), qualified());
    let index = (names, vec(target, 0..3), option::of(Just("sai".into())), vec(property(), 0..2)).prop_map(
        |((is_custom, if_not_exists, name, table), targets, class, properties)| {
            let index = CreateIndex { is_custom, if_not_exists, name, table, targets, class, properties };
            Statement::CreateIndex(Box::new(index))
        },
    );
    let properties = table_properties().prop_map(|mut properties| {
        properties.retain(|property| *property != TableProperty::CompactStorage);
        properties
    });
    let what = (any::<bool>(), qualified(), selection(), qualified());
    let view = (what, vec(relation(), 0..3), primary_key(), properties).prop_map(
        |((if_not_exists, name, selection, base), relations, primary_key, properties)| {
            let view = CreateView { if_not_exists, name, selection, base, relations, primary_key, properties };
            Statement::CreateView(Box::new(view))
        },
    );
    prop_oneof![index, view]
}

fn function() -> impl Strategy<Value = Statement> {
    let head = || (any::<bool>(), any::<bool>(), qualified());
    let function = (head(), vec((name(), type_name()), 0..3), any::<bool>(), type_name()).prop_map(
        |((or_replace, if_not_exists, name), arguments, called_on_null, returns)| {
            let (language, body) = (Name::exact("java"), "return it's;".into());
            Statement::CreateFunction(Box::new(CreateFunction {
                or_replace,
                if_not_exists,
                name,
                arguments,
                called_on_null,
                returns,
                language,
                body,
            }))
        },
    );
    let state = (name(), type_name(), option::of(name()), option::of(term()));
    let aggregate = (head(), vec(type_name(), 0..3), state).prop_map(
        |((or_replace, if_not_exists, name), arguments, (state_function, state_type, final_function, initial))| {
            Statement::CreateAggregate(Box::new(CreateAggregate {
                or_replace,
                if_not_exists,
                name,
                arguments,
                state_function,
                state_type,
                final_function,
                initial,
            }))
        },
    );
    let dropped = (any::<bool>(), any::<bool>(), qualified(), option::of(vec(type_name(), 0..3))).prop_map(
        |(is_aggregate, if_exists, name, arguments)| {
            Statement::DropFunction(DropFunction { is_aggregate, if_exists, name, arguments })
        },
    );
    let trigger = (any::<bool>(), name(), qualified()).prop_map(|(if_not_exists, name, table)| {
        Statement::CreateTrigger(CreateTrigger { if_not_exists, name, table, class: "a.B".into() })
    });
    let drop_trigger = (any::<bool>(), name(), qualified())
        .prop_map(|(if_exists, name, table)| Statement::DropTrigger { if_exists, name, table });
    prop_oneof![function, aggregate, dropped, trigger, drop_trigger]
}

fn drop_or_describe() -> impl Strategy<Value = Statement> {
    let dropped = prop_oneof![
        name().prop_map(Dropped::Keyspace),
        qualified().prop_map(Dropped::Table),
        qualified().prop_map(Dropped::Type),
        qualified().prop_map(Dropped::Index),
        qualified().prop_map(Dropped::View),
    ];
    let described = prop_oneof![
        Just(Described::Cluster),
        any::<bool>().prop_map(|full| Described::Schema { full }),
        Just(Described::Keyspaces),
        (any::<bool>(), option::of(name())).prop_map(|(only, name)| Described::Keyspace { only, name }),
        Just(Described::Tables),
        qualified().prop_map(Described::Table),
        qualified().prop_map(Described::Index),
        qualified().prop_map(Described::View),
        Just(Described::Types),
        qualified().prop_map(Described::Type),
        Just(Described::Functions),
        qualified().prop_map(Described::Function),
        Just(Described::Aggregates),
        qualified().prop_map(Described::Aggregate),
        qualified().prop_map(Described::Named),
    ];
    prop_oneof![
        (any::<bool>(), dropped).prop_map(|(if_exists, dropped)| Statement::Drop(Drop { if_exists, dropped })),
        (described, any::<bool>())
            .prop_map(|(described, internals)| Statement::Describe(Describe { described, internals })),
    ]
}

fn role_statement() -> impl Strategy<Value = RoleStatement> {
    use RoleStatement::*;
    let names = || option::of(Just(vec!["a'b".into(), "c".into()]));
    let option = || {
        prop_oneof![
            Just(RoleOption::Password("it's".into())),
            property_map().prop_map(RoleOption::Options),
            any::<bool>().prop_map(RoleOption::Superuser),
            any::<bool>().prop_map(RoleOption::Login),
            names().prop_map(RoleOption::Datacenters),
            names().prop_map(RoleOption::Cidrs),
        ]
    };
    let options = move || vec(option(), 0..3);
    let user = || {
        (option::of((Just("p".into()), any::<bool>())), option::of(any::<bool>()))
            .prop_map(|(password, superuser)| UserOptions { password, superuser })
    };
    // Every resource may be authorized.
    let permissions = || {
        prop_oneof![
            Just(Permissions::All),
            Just(Permissions::Some(vec![Permission::Authorize, Permission::SelectMasked, Permission::Create]))
        ]
    };
    let resource = || {
        prop_oneof![
            Just(Resource::AllKeyspaces),
            name().prop_map(Resource::Keyspace),
            name().prop_map(Resource::AllTables),
            qualified().prop_map(Resource::Table),
            Just(Resource::AllRoles),
            name().prop_map(Resource::Role),
            option::of(name()).prop_map(Resource::AllFunctions),
            (qualified(), vec(type_name(), 0..2)).prop_map(|(name, arguments)| Resource::Function(name, arguments)),
            Just(Resource::AllMbeans),
            Just(Resource::Mbean("a:b=c".into())),
            Just(Resource::Mbeans("a:*".into())),
        ]
    };
    let flag = any::<bool>;
    prop_oneof![
        (flag(), name(), options()).prop_map(|(if_not_exists, name, options)| CreateRole {
            if_not_exists,
            name,
            options
        }),
        (flag(), name(), options()).prop_map(|(if_exists, name, options)| AlterRole { if_exists, name, options }),
        (flag(), name()).prop_map(|(if_exists, name)| DropRole { if_exists, name }),
        (flag(), name(), user()).prop_map(|(if_not_exists, name, options)| CreateUser { if_not_exists, name, options }),
        (flag(), name(), user()).prop_map(|(if_exists, name, options)| AlterUser { if_exists, name, options }),
        (flag(), name()).prop_map(|(if_exists, name)| DropUser { if_exists, name }),
        flag().prop_map(|if_not_exists| AddIdentity { if_not_exists, identity: "i'd".into(), role: "r".into() }),
        flag().prop_map(|if_exists| DropIdentity { if_exists, identity: "id".into() }),
        Just(ListUsers),
        (option::of(name()), flag()).prop_map(|(of, no_recursive)| ListRoles { of, no_recursive }),
        (name(), name()).prop_map(|(role, grantee)| GrantRole { role, grantee }),
        (name(), name()).prop_map(|(role, revokee)| RevokeRole { role, revokee }),
        (permissions(), resource(), name()).prop_map(|(permissions, resource, grantee)| Grant {
            permissions,
            resource,
            grantee
        }),
        (permissions(), resource(), name()).prop_map(|(permissions, resource, revokee)| Revoke {
            permissions,
            resource,
            revokee
        }),
        (permissions(), option::of(resource()), option::of(name()), flag()).prop_map(
            |(permissions, resource, of, no_recursive)| ListPermissions { permissions, resource, of, no_recursive }
        ),
    ]
}

/// Any statement.
pub(super) fn statement() -> BoxedStrategy<Statement> {
    use BatchKind::{Counter, Logged, Unlogged};
    let batch = (select(vec![Logged, Unlogged, Counter]), using(), vec(modification(), 0..3))
        .prop_map(|(kind, using, statements)| Batch { kind, using, statements });
    let keyspace = (any::<bool>(), name(), property()).prop_map(|(if_not_exists, name, property)| {
        Statement::CreateKeyspace(CreateKeyspace { if_not_exists, name, properties: vec![property] })
    });
    let alter_keyspace = (any::<bool>(), name(), property()).prop_map(|(if_exists, name, property)| {
        Statement::AlterKeyspace { if_exists, name, properties: vec![property] }
    });
    let alter_view = (any::<bool>(), qualified(), property())
        .prop_map(|(if_exists, name, property)| Statement::AlterView { if_exists, name, properties: vec![property] });
    prop_oneof![
        4 => select_statement().prop_map(Box::new).prop_map(Statement::Select),
        4 => modification().prop_map(Statement::Modification),
        1 => batch.prop_map(Statement::Batch),
        1 => prop_oneof![name().prop_map(Statement::Use), qualified().prop_map(Statement::Truncate)],
        1 => prop_oneof![keyspace, alter_keyspace, alter_view],
        1 => create_table(),
        1 => alter_table(),
        1 => user_type(),
        1 => index_or_view(),
        1 => function(),
        1 => drop_or_describe(),
        1 => role_statement().prop_map(Statement::Role),
    ]
    .boxed()
}
