//! `CREATE`, `ALTER` and `DROP` of what data is in.

use rustc_hash::FxHashSet;

use super::cursor::Parser;
use super::names::is_name;
use crate::wide_column::cql::ast::{
    AlterTable, AlterTableChange, AlterType, AlterTypeChange, ClusteringOrder, ColumnDefinition, CreateIndex,
    CreateKeyspace, CreateTable, CreateType, CreateView, Drop, Dropped, IndexTarget, Literal, Mask, Name, PrimaryKey,
    Property, PropertyValue, Statement, TableProperty, TargetKind, Term, TypeName,
};
use crate::wide_column::cql::fault::{Fault, Result};
use crate::wide_column::cql::keyword::Keyword;
use crate::wide_column::cql::token::Kind;

impl Parser<'_> {
    /// Properties with `AND` between them.
    fn properties(&mut self) -> Result<Vec<Property>> {
        let mut properties = vec![self.property()?];
        while self.eat_word(Keyword::And)? {
            properties.push(self.property()?);
        }
        check_properties(properties.iter())?;
        Ok(properties)
    }

    fn property(&mut self) -> Result<Property> {
        let name = self.name()?;
        self.expect(Kind::Equal)?;
        let value = if self.is(Kind::OpenBrace) {
            PropertyValue::Map(self.property_map()?)
        } else if let Some(literal) = self.literal()? {
            PropertyValue::Literal(literal)
        } else if self.keyword().is_some() {
            PropertyValue::Word(self.name()?)
        } else {
            return Err(self.no_alternative());
        };
        Ok(Property { name, value })
    }

    /// `{… : …}` of constants.
    pub(super) fn property_map(&mut self) -> Result<Vec<(Literal, Literal)>> {
        let mut entries: Vec<(Literal, Literal)> = Vec::new();
        let mut names = FxHashSet::default();
        for (name, value) in self.full_map()? {
            let hint = |term: &Term| match term {
                Term::Marker(_) => " (bind variables are not supported in DDL queries)",
                _ => "",
            };
            let name = match name {
                Term::Literal(literal) => literal,
                other => return Err(Fault::said(format!("Invalid property name: {other}{}", hint(&other)))),
            };
            let value = match value {
                Term::Literal(literal) => literal,
                other => {
                    let (name, hint) = (&name.text, hint(&other));
                    return Err(Fault::said(format!("Invalid property value: {other} for property: {name}{hint}")));
                }
            };
            if !names.insert(name.text.clone()) {
                return Err(Fault::said(format!("Multiple definition for property {}", name.text)));
            }
            entries.push((name, value));
        }
        Ok(entries)
    }

    /// `CREATE KEYSPACE`, behind those words.
    pub(super) fn create_keyspace(&mut self) -> Result<CreateKeyspace> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.keyspace_name()?;
        self.expect_word(Keyword::With)?;
        Ok(CreateKeyspace { if_not_exists, name, properties: self.properties()? })
    }

    /// `CREATE TABLE`, behind those words.
    pub(super) fn create_table(&mut self) -> Result<CreateTable> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.table_name()?;
        let mut table =
            CreateTable { if_not_exists, name, columns: Vec::new(), primary_key: None, properties: Vec::new() };
        let mut names = FxHashSet::default();
        self.expect(Kind::Open)?;
        loop {
            self.table_item(&mut table)?;
            if let Some(column) = table
                .columns
                .last()
                .filter(|column| names.len() < table.columns.len() && !names.insert(column.name.clone()))
            {
                let (column, name) = (column.name.as_str(), &table.name);
                return Err(Fault::Refused(format!("Duplicate column '{column}' declaration for table '{name}'")));
            }
            // A comma may be the last.
            while self.eat(Kind::Comma)? {
                if !matches!(self.kind(), Kind::Comma | Kind::Close) {
                    break;
                }
            }
            if self.eat(Kind::Close)? {
                break;
            }
            if !is_name(self.kind()) && !self.is_word(Keyword::Primary) {
                return Err(self.no_alternative());
            }
        }
        table.properties = self.table_properties()?;
        Ok(table)
    }

    /// A column, or the primary key.
    fn table_item(&mut self, table: &mut CreateTable) -> Result<()> {
        if self.is_word(Keyword::Primary) {
            let primary_key = self.primary_key()?;
            return set_primary_key(table, primary_key);
        }
        let column = self.column_definition()?;
        let name = column.name.clone();
        table.columns.push(column);
        if self.eat_words(Keyword::Primary, &[Keyword::Key])? {
            return set_primary_key(table, PrimaryKey { partition: vec![name], clustering: Vec::new() });
        }
        Ok(())
    }

    fn column_definition(&mut self) -> Result<ColumnDefinition> {
        let name = self.name()?;
        let column_type = self.type_name()?;
        let is_static = self.eat_word(Keyword::Static)?;
        let mask = if self.is_word(Keyword::Masked) { Some(self.mask()?) } else { None };
        Ok(ColumnDefinition { name, column_type, is_static, mask })
    }

    fn mask(&mut self) -> Result<Mask> {
        self.expect_words(&[Keyword::Masked, Keyword::With])?;
        if self.is_word(Keyword::Default) && self.next_kind() != Kind::Open {
            self.advance()?;
            return Ok(Mask::Default);
        }
        let function = self.function_name()?;
        self.expect(Kind::Open)?;
        Ok(Mask::Function(function, self.list_until(Kind::Close, Self::term)?))
    }

    /// `PRIMARY KEY (…)`
    fn primary_key(&mut self) -> Result<PrimaryKey> {
        self.expect_words(&[Keyword::Primary, Keyword::Key])?;
        self.expect(Kind::Open)?;
        let partition = if self.is(Kind::Open) { self.in_parentheses(Self::name)? } else { vec![self.name()?] };
        let mut clustering = Vec::new();
        while self.eat(Kind::Comma)? {
            clustering.push(self.name()?);
        }
        self.expect(Kind::Close)?;
        Ok(PrimaryKey { partition, clustering })
    }

    /// `WITH` and what may be behind it in a table or view, if it is here.
    fn table_properties(&mut self) -> Result<Vec<TableProperty>> {
        let mut properties = Vec::new();
        if !self.eat_word(Keyword::With)? {
            return Ok(properties);
        }
        loop {
            properties.push(self.table_property()?);
            if !self.eat_word(Keyword::And)? {
                break;
            }
        }
        check_properties(properties.iter().filter_map(|property| match property {
            TableProperty::Property(property) => Some(property),
            _ => None,
        }))?;
        Ok(properties)
    }

    fn table_property(&mut self) -> Result<TableProperty> {
        if self.is_word(Keyword::Compact) && self.is_next_word(Keyword::Storage) {
            self.advance()?;
            self.advance()?;
            return Ok(TableProperty::CompactStorage);
        }
        if !self.is_word(Keyword::Clustering) || !self.is_next_word(Keyword::Order) {
            return self.property().map(TableProperty::Property);
        }
        self.advance()?;
        self.advance()?;
        self.expect_word(Keyword::By)?;
        let order = self.in_parentheses(|parser| {
            let column = parser.name()?;
            let descending = parser.eat_word(Keyword::Desc)?;
            if !descending && !parser.eat_word(Keyword::Asc)? {
                return Err(parser.no_alternative());
            }
            Ok(ClusteringOrder { column, descending })
        })?;
        Ok(TableProperty::ClusteringOrder(order))
    }

    /// `CREATE TYPE`, behind those words.
    pub(super) fn create_type(&mut self) -> Result<CreateType> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.user_type_name()?;
        self.expect(Kind::Open)?;
        let mut fields = Vec::new();
        loop {
            let field = self.name()?;
            fields.push((field, self.type_name()?));
            while self.eat(Kind::Comma)? {
                if !matches!(self.kind(), Kind::Comma | Kind::Close) {
                    break;
                }
            }
            if self.eat(Kind::Close)? {
                return Ok(CreateType { if_not_exists, name, fields });
            }
            if !is_name(self.kind()) {
                return Err(self.no_alternative());
            }
        }
    }

    /// `CREATE INDEX`, behind `CREATE`.
    pub(super) fn create_index(&mut self) -> Result<CreateIndex> {
        let is_custom = self.eat_word(Keyword::Custom)?;
        self.expect_word(Keyword::Index)?;
        let if_not_exists = self.if_not_exists()?;
        let name = if self.is_word(Keyword::On) { None } else { Some(self.plain_index_name()?) };
        self.expect_word(Keyword::On)?;
        let table = self.table_name()?;
        self.expect(Kind::Open)?;
        let targets = self.list_until(Kind::Close, Self::index_target)?;
        let class = if self.eat_word(Keyword::Using)? { Some(self.string()?) } else { None };
        let properties = if self.eat_word(Keyword::With)? { self.properties()? } else { Vec::new() };
        Ok(CreateIndex { is_custom, if_not_exists, name, table, targets, class, properties })
    }

    fn index_target(&mut self) -> Result<IndexTarget> {
        let kind = match self.keyword().filter(|_| self.next_kind() == Kind::Open) {
            Some(Keyword::Values) => TargetKind::Values,
            Some(Keyword::Keys) => TargetKind::Keys,
            Some(Keyword::Entries) => TargetKind::Entries,
            Some(Keyword::Full) => TargetKind::Full,
            _ => return Ok(IndexTarget { column: self.column()?, kind: TargetKind::Simple }),
        };
        self.advance()?;
        self.advance()?;
        let column = self.column()?;
        self.expect(Kind::Close)?;
        Ok(IndexTarget { column, kind })
    }

    /// `CREATE MATERIALIZED VIEW`, behind those words.
    pub(super) fn create_view(&mut self) -> Result<CreateView> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.table_name()?;
        self.expect_words(&[Keyword::As, Keyword::Select])?;
        let selection = self.selection()?;
        self.expect_word(Keyword::From)?;
        let base = self.table_name()?;
        let relations = self.where_clause()?;
        let primary_key = self.primary_key()?;
        let properties = self.table_properties()?;
        if properties.contains(&TableProperty::CompactStorage) {
            return Err(Fault::said("COMPACT STORAGE tables are not allowed starting with version 4.0"));
        }
        Ok(CreateView { if_not_exists, name, selection, base, relations, primary_key, properties })
    }

    /// `ALTER`, behind that word, of a keyspace, table, type or view.
    pub(super) fn alter(&mut self) -> Result<Statement> {
        match self.keyword() {
            Some(Keyword::Keyspace | Keyword::Schema) => {
                self.advance()?;
                let if_exists = self.if_exists()?;
                let name = self.keyspace_name()?;
                self.expect_word(Keyword::With)?;
                Ok(Statement::AlterKeyspace { if_exists, name, properties: self.properties()? })
            }
            Some(Keyword::Table) => {
                self.advance()?;
                let if_exists = self.if_exists()?;
                let name = self.table_name()?;
                let change = self.alter_table_change()?;
                Ok(Statement::AlterTable(Box::new(AlterTable { if_exists, name, change })))
            }
            Some(Keyword::Type) => {
                self.advance()?;
                let if_exists = self.if_exists()?;
                let name = self.user_type_name()?;
                let change = self.alter_type_change()?;
                Ok(Statement::AlterType(AlterType { if_exists, name, change }))
            }
            Some(Keyword::Materialized) => {
                self.advance()?;
                self.expect_word(Keyword::View)?;
                let if_exists = self.if_exists()?;
                let name = self.table_name()?;
                self.expect_word(Keyword::With)?;
                Ok(Statement::AlterView { if_exists, name, properties: self.properties()? })
            }
            _ => Err(self.no_alternative()),
        }
    }

    fn alter_table_change(&mut self) -> Result<AlterTableChange> {
        match self.keyword() {
            Some(Keyword::Alter) => {
                self.advance()?;
                self.alter_column()
            }
            Some(Keyword::Add) => {
                self.advance()?;
                let if_not_exists = self.if_not_exists()?;
                let columns = if self.is(Kind::Open) {
                    self.in_parentheses(Self::column_definition)?
                } else {
                    vec![self.column_definition()?]
                };
                Ok(AlterTableChange::Add { if_not_exists, columns })
            }
            Some(Keyword::Drop) => {
                self.advance()?;
                self.drop_columns()
            }
            Some(Keyword::Rename) => {
                self.advance()?;
                let if_exists = self.if_exists()?;
                Ok(AlterTableChange::Rename { if_exists, renames: self.renames()? })
            }
            Some(Keyword::With) => {
                self.advance()?;
                self.properties().map(AlterTableChange::Properties)
            }
            _ => Err(self.no_alternative()),
        }
    }

    fn alter_column(&mut self) -> Result<AlterTableChange> {
        let if_exists = self.if_exists()?;
        let column = self.column()?;
        match self.keyword() {
            Some(Keyword::Type) if !if_exists => {
                self.advance()?;
                Ok(AlterTableChange::Type(column, self.type_name()?))
            }
            Some(Keyword::Masked) => {
                let mask = Some(self.mask()?);
                Ok(AlterTableChange::Mask { if_exists, column, mask })
            }
            Some(Keyword::Drop) => {
                self.advance()?;
                self.expect_word(Keyword::Masked)?;
                Ok(AlterTableChange::Mask { if_exists, column, mask: None })
            }
            _ => Err(self.no_alternative()),
        }
    }

    fn drop_columns(&mut self) -> Result<AlterTableChange> {
        if self.is_word(Keyword::Compact) && self.is_next_word(Keyword::Storage) {
            self.advance()?;
            self.advance()?;
            return Ok(AlterTableChange::DropCompactStorage);
        }
        let if_exists = self.if_exists()?;
        let columns = if self.is(Kind::Open) { self.in_parentheses(Self::name)? } else { vec![self.name()?] };
        let mut timestamp = None;
        if self.eat_words(Keyword::Using, &[Keyword::Timestamp])? {
            let token = self.expect(Kind::Integer)?;
            let source = self.source(token);
            let parsed = source.parse().map_err(|_| Fault::said(format!("For input string: \"{source}\"")))?;
            timestamp = Some(parsed);
        }
        Ok(AlterTableChange::Drop { if_exists, columns, timestamp })
    }

    fn renames(&mut self) -> Result<Vec<(Name, Name)>> {
        let mut renames = Vec::new();
        loop {
            let from = self.name()?;
            self.expect_word(Keyword::To)?;
            renames.push((from, self.name()?));
            if !self.eat_word(Keyword::And)? {
                return Ok(renames);
            }
        }
    }

    fn alter_type_change(&mut self) -> Result<AlterTypeChange> {
        match self.keyword() {
            Some(Keyword::Alter) => {
                self.advance()?;
                let field = self.name()?;
                self.expect_word(Keyword::Type)?;
                Ok(AlterTypeChange::Type(field, self.type_name()?))
            }
            Some(Keyword::Add) => {
                self.advance()?;
                let if_not_exists = self.if_not_exists()?;
                let field = self.name()?;
                let field_type: TypeName = self.type_name()?;
                Ok(AlterTypeChange::Add { if_not_exists, field, field_type })
            }
            Some(Keyword::Rename) => {
                self.advance()?;
                let if_exists = self.if_exists()?;
                Ok(AlterTypeChange::Rename { if_exists, renames: self.renames()? })
            }
            _ => Err(self.no_alternative()),
        }
    }

    /// `DROP`, behind that word, of what data is in; `None` if something else is here.
    pub(super) fn drop_data(&mut self) -> Result<Option<Drop>> {
        let kind = match self.keyword() {
            Some(Keyword::Materialized) => {
                self.advance()?;
                Keyword::View
            }
            Some(kind @ (Keyword::Keyspace | Keyword::Schema | Keyword::Table | Keyword::Type | Keyword::Index)) => {
                kind
            }
            _ => return Ok(None),
        };
        if kind == Keyword::View {
            self.expect_word(kind)?;
        } else {
            self.advance()?;
        }
        let if_exists = self.if_exists()?;
        let dropped = match kind {
            Keyword::Keyspace | Keyword::Schema => Dropped::Keyspace(self.keyspace_name()?),
            Keyword::Table => Dropped::Table(self.table_name()?),
            Keyword::Type => Dropped::Type(self.user_type_name()?),
            Keyword::Index => Dropped::Index(self.index_name()?),
            _ => Dropped::View(self.table_name()?),
        };
        Ok(Some(Drop { if_exists, dropped }))
    }
}

fn set_primary_key(table: &mut CreateTable, primary_key: PrimaryKey) -> Result<()> {
    if table.primary_key.is_some() {
        let name = &table.name;
        return Err(Fault::Refused(format!(
            "Multiple PRIMARY KEY specified for table '{name}' (exactly one required)"
        )));
    }
    table.primary_key = Some(primary_key);
    Ok(())
}

fn check_properties<'p>(properties: impl Iterator<Item = &'p Property>) -> Result<()> {
    let mut names = FxHashSet::default();
    for property in properties {
        let name = property.name.as_str();
        if !names.insert(name) {
            return Err(Fault::said(format!("Multiple definition for property '{name}'")));
        }
    }
    Ok(())
}
