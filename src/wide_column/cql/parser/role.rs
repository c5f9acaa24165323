//! Roles, users and permissions.

use super::cursor::Parser;
use crate::wide_column::cql::ast::{Permissions, Resource, RoleOption, RoleStatement, UserOptions};
use crate::wide_column::cql::fault::{Fault, Result};
use crate::wide_column::cql::keyword::Keyword;
use crate::wide_column::cql::token::Kind;
use crate::wide_column::role::Permission;

impl Parser<'_> {
    /// `CREATE ROLE` or `CREATE USER`, behind `CREATE`.
    pub(super) fn create_role(&mut self) -> Result<RoleStatement> {
        if self.eat_word(Keyword::User)? {
            let if_not_exists = self.if_not_exists()?;
            let name = self.user_name()?;
            return Ok(RoleStatement::CreateUser { if_not_exists, name, options: self.user_options()? });
        }
        self.expect_word(Keyword::Role)?;
        let if_not_exists = self.if_not_exists()?;
        let name = self.role_name()?;
        Ok(RoleStatement::CreateRole { if_not_exists, name, options: self.role_options()? })
    }

    /// `ALTER ROLE` or `ALTER USER`, behind `ALTER`.
    pub(super) fn alter_role(&mut self) -> Result<RoleStatement> {
        if self.eat_word(Keyword::User)? {
            let if_exists = self.if_exists()?;
            let name = self.user_name()?;
            return Ok(RoleStatement::AlterUser { if_exists, name, options: self.user_options()? });
        }
        self.expect_word(Keyword::Role)?;
        let if_exists = self.if_exists()?;
        let name = self.role_name()?;
        Ok(RoleStatement::AlterRole { if_exists, name, options: self.role_options()? })
    }

    /// `DROP ROLE`, `DROP USER` or `DROP IDENTITY`, behind `DROP`.
    pub(super) fn drop_role(&mut self) -> Result<RoleStatement> {
        if self.eat_word(Keyword::User)? {
            let if_exists = self.if_exists()?;
            return Ok(RoleStatement::DropUser { if_exists, name: self.user_name()? });
        }
        if self.eat_word(Keyword::Identity)? {
            let if_exists = self.if_exists()?;
            return Ok(RoleStatement::DropIdentity { if_exists, identity: self.identity()? });
        }
        self.expect_word(Keyword::Role)?;
        let if_exists = self.if_exists()?;
        Ok(RoleStatement::DropRole { if_exists, name: self.role_name()? })
    }

    /// `ADD IDENTITY`
    pub(super) fn add_identity(&mut self) -> Result<RoleStatement> {
        self.expect_words(&[Keyword::Add, Keyword::Identity])?;
        let if_not_exists = self.if_not_exists()?;
        let identity = self.identity()?;
        self.expect_words(&[Keyword::To, Keyword::Role])?;
        Ok(RoleStatement::AddIdentity { if_not_exists, identity, role: self.identity()? })
    }

    fn identity(&mut self) -> Result<Box<str>> {
        match self.kind() {
            Kind::Identifier | Kind::String => {
                let token = self.advance()?;
                Ok(self.says(token))
            }
            Kind::QuotedName => Err(Fault::said("Quoted strings are are not supported for identity")),
            _ => Err(self.no_alternative()),
        }
    }

    fn user_options(&mut self) -> Result<UserOptions> {
        let mut password = None;
        if self.eat_word(Keyword::With)? {
            let is_hashed = self.eat_word(Keyword::Hashed)?;
            self.expect_word(Keyword::Password)?;
            password = Some((self.string()?, is_hashed));
        }
        let superuser = if self.eat_word(Keyword::Superuser)? {
            Some(true)
        } else if self.eat_word(Keyword::Nosuperuser)? {
            Some(false)
        } else {
            None
        };
        Ok(UserOptions { password, superuser })
    }

    fn role_options(&mut self) -> Result<Vec<RoleOption>> {
        let mut options = Vec::new();
        if !self.eat_word(Keyword::With)? {
            return Ok(options);
        }
        loop {
            options.push(self.role_option()?);
            if !self.eat_word(Keyword::And)? {
                break;
            }
        }
        let has = |is: fn(&RoleOption) -> bool| options.iter().any(is);
        if has(|option| matches!(option, RoleOption::Password(_)))
            && has(|option| matches!(option, RoleOption::HashedPassword(_)))
        {
            return Err(Fault::said("Options 'password' and 'hashed password' are mutually exclusive"));
        }
        Ok(options)
    }

    fn role_option(&mut self) -> Result<RoleOption> {
        let word = self.keyword().ok_or_else(|| self.no_alternative())?;
        match word {
            Keyword::Password => {
                self.advance()?;
                self.expect(Kind::Equal)?;
                self.string().map(RoleOption::Password)
            }
            Keyword::Hashed => {
                self.advance()?;
                self.expect_word(Keyword::Password)?;
                self.expect(Kind::Equal)?;
                self.string().map(RoleOption::HashedPassword)
            }
            Keyword::Options => {
                self.advance()?;
                self.expect(Kind::Equal)?;
                self.property_map().map(RoleOption::Options)
            }
            Keyword::Superuser => self.boolean_option().map(RoleOption::Superuser),
            Keyword::Login => self.boolean_option().map(RoleOption::Login),
            Keyword::Access => {
                self.advance()?;
                if self.eat_word(Keyword::To)? {
                    return self.access(Keyword::Datacenters).map(RoleOption::Datacenters);
                }
                self.expect_word(Keyword::From)?;
                self.access(Keyword::Cidrs).map(RoleOption::Cidrs)
            }
            _ => Err(self.no_alternative()),
        }
    }

    fn boolean_option(&mut self) -> Result<bool> {
        self.advance()?;
        self.expect(Kind::Equal)?;
        let token = self.expect(Kind::Boolean)?;
        Ok(self.source(token).eq_ignore_ascii_case("true"))
    }

    fn access(&mut self, what: Keyword) -> Result<Option<Vec<Box<str>>>> {
        if self.eat_words(Keyword::All, &[what])? {
            return Ok(None);
        }
        self.expect_word(what)?;
        self.expect(Kind::OpenBrace)?;
        let names = self.list(Self::string)?;
        self.expect(Kind::CloseBrace)?;
        Ok(Some(names))
    }

    fn permission(&self) -> Option<Permission> {
        Some(match self.keyword()? {
            Keyword::Create => Permission::Create,
            Keyword::Alter => Permission::Alter,
            Keyword::Drop => Permission::Drop,
            Keyword::Select => Permission::Select,
            Keyword::Modify => Permission::Modify,
            Keyword::Authorize => Permission::Authorize,
            Keyword::Describe => Permission::Describe,
            Keyword::Execute => Permission::Execute,
            Keyword::Unmask => Permission::Unmask,
            Keyword::SelectMasked => Permission::SelectMasked,
            _ => return None,
        })
    }

    /// Whether permissions are here, rather than the name of a role.
    fn begins_permissions(&self) -> bool {
        // `ALL`, `UNMASK` and `SELECT_MASKED` may be names of roles.
        let is_role = matches!(self.next_kind(), Kind::Keyword(Keyword::To | Keyword::From));
        !is_role && (self.is_word(Keyword::All) || self.permission().is_some())
    }

    fn permissions(&mut self) -> Result<Permissions> {
        if self.eat_word(Keyword::All)? {
            self.eat_word(Keyword::Permissions)?;
            return Ok(Permissions::All);
        }
        let permissions = self.list(|parser| {
            let permission = parser.permission().ok_or_else(|| parser.no_alternative())?;
            parser.advance()?;
            parser.eat_word(Keyword::Permission)?;
            Ok(permission)
        })?;
        Ok(Permissions::Some(permissions))
    }

    /// `GRANT`
    pub(super) fn grant(&mut self) -> Result<RoleStatement> {
        self.expect_word(Keyword::Grant)?;
        if !self.begins_permissions() {
            let role = self.role_name()?;
            self.expect_word(Keyword::To)?;
            return Ok(RoleStatement::GrantRole { role, grantee: self.role_name()? });
        }
        let permissions = self.permissions()?;
        self.expect_word(Keyword::On)?;
        let resource = self.resource()?;
        check_applicable(&permissions, &resource)?;
        self.expect_word(Keyword::To)?;
        Ok(RoleStatement::Grant { permissions, resource, grantee: self.role_name()? })
    }

    /// `REVOKE`
    pub(super) fn revoke(&mut self) -> Result<RoleStatement> {
        self.expect_word(Keyword::Revoke)?;
        if !self.begins_permissions() {
            let role = self.role_name()?;
            self.expect_word(Keyword::From)?;
            return Ok(RoleStatement::RevokeRole { role, revokee: self.role_name()? });
        }
        let permissions = self.permissions()?;
        self.expect_word(Keyword::On)?;
        let resource = self.resource()?;
        check_applicable(&permissions, &resource)?;
        self.expect_word(Keyword::From)?;
        Ok(RoleStatement::Revoke { permissions, resource, revokee: self.role_name()? })
    }

    /// `LIST`
    pub(super) fn list_roles(&mut self) -> Result<RoleStatement> {
        self.expect_word(Keyword::List)?;
        if self.eat_word(Keyword::Users)? {
            return Ok(RoleStatement::ListUsers);
        }
        if self.eat_word(Keyword::Roles)? {
            let of = if self.eat_word(Keyword::Of)? { Some(self.role_name()?) } else { None };
            return Ok(RoleStatement::ListRoles { of, no_recursive: self.eat_word(Keyword::Norecursive)? });
        }
        if !self.begins_permissions() {
            return Err(self.no_alternative());
        }
        let permissions = self.permissions()?;
        let resource = if self.eat_word(Keyword::On)? { Some(self.resource()?) } else { None };
        let of = if self.eat_word(Keyword::Of)? { Some(self.role_name()?) } else { None };
        let no_recursive = self.eat_word(Keyword::Norecursive)?;
        Ok(RoleStatement::ListPermissions { permissions, resource, of, no_recursive })
    }

    fn resource(&mut self) -> Result<Resource> {
        // `ALL`, `ROLE`, `FUNCTION`, `MBEAN` and `MBEANS` may be the names of tables.
        let is_name = matches!(
            self.next_kind(),
            Kind::Dot
                | Kind::End
                | Kind::Semicolon
                | Kind::Keyword(Keyword::To | Keyword::From | Keyword::Of | Keyword::Norecursive)
        );
        match self.keyword().filter(|_| !is_name) {
            Some(Keyword::All) => {
                self.advance()?;
                self.all_resources()
            }
            Some(Keyword::Keyspace | Keyword::Schema) => {
                self.advance()?;
                self.keyspace_name().map(Resource::Keyspace)
            }
            Some(Keyword::Table) => {
                self.advance()?;
                self.table_name().map(Resource::Table)
            }
            Some(Keyword::Role) => {
                self.advance()?;
                self.role_name().map(Resource::Role)
            }
            Some(Keyword::Function) => {
                self.advance()?;
                let name = self.function_name()?;
                self.expect(Kind::Open)?;
                Ok(Resource::Function(name, self.list_until(Kind::Close, Self::type_name)?))
            }
            Some(Keyword::Mbean) => {
                self.advance()?;
                self.string().map(Resource::Mbean)
            }
            Some(Keyword::Mbeans) => {
                self.advance()?;
                self.string().map(Resource::Mbeans)
            }
            _ => self.table_name().map(Resource::Table),
        }
    }

    fn all_resources(&mut self) -> Result<Resource> {
        let word = self.keyword().ok_or_else(|| self.no_alternative())?;
        match word {
            Keyword::Keyspaces => {
                self.advance()?;
                Ok(Resource::AllKeyspaces)
            }
            Keyword::Tables => {
                self.advance()?;
                self.expect_words(&[Keyword::In, Keyword::Keyspace])?;
                self.keyspace_name().map(Resource::AllTables)
            }
            Keyword::Roles => {
                self.advance()?;
                Ok(Resource::AllRoles)
            }
            Keyword::Functions => {
                self.advance()?;
                let of =
                    if self.eat_words(Keyword::In, &[Keyword::Keyspace])? { Some(self.keyspace_name()?) } else { None };
                Ok(Resource::AllFunctions(of))
            }
            Keyword::Mbeans => {
                self.advance()?;
                Ok(Resource::AllMbeans)
            }
            _ => Err(self.no_alternative()),
        }
    }
}

/// Refuses permissions none of which the resource has.
fn check_applicable(permissions: &Permissions, resource: &Resource) -> Result<()> {
    use Permission::{Alter, Authorize, Create, Describe, Drop, Execute, Modify, Select, SelectMasked, Unmask};
    let (name, applicable): (&str, &[Permission]) = match resource {
        Resource::AllKeyspaces | Resource::Keyspace(_) | Resource::AllTables(_) => {
            ("DataResource", &[Create, Alter, Drop, Select, Modify, Authorize, Unmask, SelectMasked])
        }
        Resource::Table(_) => ("DataResource", &[Alter, Drop, Select, Modify, Authorize, Unmask, SelectMasked]),
        Resource::AllRoles => ("RoleResource", &[Create, Alter, Drop, Authorize, Describe]),
        Resource::Role(_) => ("RoleResource", &[Alter, Drop, Authorize]),
        Resource::AllFunctions(_) => ("FunctionResource", &[Create, Alter, Drop, Authorize, Execute]),
        Resource::Function(..) => ("FunctionResource", &[Alter, Drop, Authorize, Execute]),
        Resource::AllMbeans | Resource::Mbean(_) | Resource::Mbeans(_) => {
            ("JMXResource", &[Authorize, Describe, Execute, Modify, Select])
        }
    };
    match permissions {
        Permissions::Some(some) if !some.iter().any(|permission| applicable.contains(permission)) => {
            Err(Fault::said(format!("Resource type {name} does not support any of the requested permissions")))
        }
        _ => Ok(()),
    }
}
