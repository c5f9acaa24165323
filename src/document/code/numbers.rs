//! The numbers, in their order.

use super::Code;

impl Code {
    /// An argument is out of its domain.
    pub const BAD_VALUE: Self = Self(2);
    /// A view is defined by itself, through others.
    pub const GRAPH_CONTAINS_CYCLE: Self = Self(5);
    /// A specification does not parse.
    pub const FAILED_TO_PARSE: Self = Self(9);
    /// A value has a type that is not taken.
    pub const TYPE_MISMATCH: Self = Self(14);
    /// A result or a nesting does not fit.
    pub const OVERFLOW: Self = Self(15);
    /// A list or text has a length that is not taken.
    pub const INVALID_LENGTH: Self = Self(16);
    /// An operation is not taken in this state.
    pub const ILLEGAL_OPERATION: Self = Self(20);
    /// A collection does not exist.
    pub const NAMESPACE_NOT_FOUND: Self = Self(26);
    /// An index does not exist.
    pub const INDEX_NOT_FOUND: Self = Self(27);
    /// An update leads through a value that is neither object nor array.
    pub const PATH_NOT_VIABLE: Self = Self(28);
    /// Two parts of an update change one path.
    pub const CONFLICTING_UPDATE_OPERATORS: Self = Self(40);
    /// What is to be made exists.
    pub const NAMESPACE_EXISTS: Self = Self(48);
    /// An operation has taken longer than it may.
    pub const MAX_TIME_EXPIRED: Self = Self(50);
    /// A stored field has a name that begins with a dollar sign.
    pub const DOLLAR_PREFIXED_FIELD_NAME: Self = Self(52);
    /// An `_id` has a type that none can have.
    pub const INVALID_ID_FIELD: Self = Self(53);
    /// The filter of an upsert demands two values of a field.
    pub const NOT_SINGLE_VALUE: Self = Self(54);
    /// A path of an update has an empty part.
    pub const EMPTY_FIELD_NAME: Self = Self(56);
    /// An update would change a field that never changes.
    pub const IMMUTABLE_FIELD: Self = Self(66);
    /// An index cannot be made so.
    pub const CANNOT_CREATE_INDEX: Self = Self(67);
    /// An option is not taken, or not with another one.
    pub const INVALID_OPTIONS: Self = Self(72);
    /// A database or collection cannot have this name.
    pub const INVALID_NAMESPACE: Self = Self(73);
    /// An index with these keys has other options.
    pub const INDEX_OPTIONS_CONFLICT: Self = Self(85);
    /// An index with this name has other keys.
    pub const INDEX_KEY_SPECS_CONFLICT: Self = Self(86);
    /// Another transaction wrote meanwhile.
    pub const WRITE_CONFLICT: Self = Self(112);
    /// The validator of a collection refuses a document.
    pub const DOCUMENT_VALIDATION_FAILURE: Self = Self(121);
    /// The documents that a tailable cursor would go on with were trimmed.
    pub const CAPPED_POSITION_LOST: Self = Self(136);
    /// A collation is of another version.
    pub const INCOMPATIBLE_COLLATION_VERSION: Self = Self(161);
    /// Views are defined by one another too deeply.
    pub const VIEW_DEPTH_LIMIT_EXCEEDED: Self = Self(165);
    /// An operation is not one of views.
    pub const COMMAND_NOT_SUPPORTED_ON_VIEW: Self = Self(166);
    /// An option or stage is not one of views.
    pub const OPTION_NOT_SUPPORTED_ON_VIEW: Self = Self(167);
    /// No expression operator has this name.
    pub const UNRECOGNIZED_EXPRESSION: Self = Self(168);
    /// Two arrays of one document meet in one index or sort.
    pub const CANNOT_INDEX_PARALLEL_ARRAYS: Self = Self(171);
    /// The collection that a cursor reads is not there any more.
    pub const QUERY_PLAN_KILLED: Self = Self(175);
    /// A number in a path is both a position and a field.
    pub const AMBIGUOUS_INDEX_KEY_PATH: Self = Self(181);
    /// The index on `_id` does not take this option.
    pub const INVALID_INDEX_SPECIFICATION_OPTION: Self = Self(197);
    /// A pipeline nests pipelines too deeply.
    pub const PIPELINE_NESTING: Self = Self(232);
    /// It is not modelled.
    pub const NOT_IMPLEMENTED: Self = Self(238);
    /// A value has no counterpart of the type asked for.
    pub const CONVERSION_FAILURE: Self = Self(241);
    /// No plan does what a hint asks for.
    pub const NO_QUERY_EXECUTION_PLANS: Self = Self(291);
    /// What a stage has to hold is too large.
    pub const EXCEEDED_MEMORY_LIMIT: Self = Self(292);
    /// An index cannot become unique: some documents have the same key.
    pub const CANNOT_CONVERT_INDEX_TO_UNIQUE: Self = Self(359);
    /// A specification is no object.
    pub const EXPRESSION_NOT_OBJECT: Self = Self(10_065);
    /// A document is larger than one may be.
    pub const DOCUMENT_TOO_LARGE: Self = Self(10_334);
    /// A unique index holds the key already.
    pub const DUPLICATE_KEY: Self = Self(11_000);
    /// An operation was killed.
    pub const INTERRUPTED: Self = Self(11_601);
    /// A sort or index has more keys than one may have.
    pub const SORT_TOO_MANY_KEYS: Self = Self(13_103);
    /// `$merge` has found no document to change.
    pub const MERGE_NOT_MATCHED: Self = Self(13_113);
    /// `$group` takes an object.
    pub const GROUP_NOT_OBJECT: Self = Self(15_947);
    /// The output of `$bucket` has an `_id`.
    pub const BUCKET_OUTPUT_ID: Self = Self(15_948);
    /// No accumulator has this name.
    pub const GROUP_UNKNOWN_OPERATOR: Self = Self(15_952);
    /// `$group` has no `_id`.
    pub const GROUP_WITHOUT_ID: Self = Self(15_955);
    /// `$limit` takes a positive number.
    pub const LIMIT_NOT_POSITIVE: Self = Self(15_958);
    /// `$match` takes an object.
    pub const MATCH_NOT_OBJECT: Self = Self(15_959);
    /// `$project` takes an object.
    pub const PROJECT_NOT_OBJECT: Self = Self(15_969);
    /// `$sort` takes an object.
    pub const SORT_NOT_OBJECT: Self = Self(15_973);
    /// A direction is no number.
    pub const SORT_DIRECTION_TYPE: Self = Self(15_974);
    /// A direction is neither 1 nor -1.
    pub const SORT_DIRECTION: Self = Self(15_975);
    /// A sort has no keys.
    pub const SORT_EMPTY: Self = Self(15_976);
    /// `$unwind` takes a path or an object.
    pub const UNWIND_SPECIFICATION: Self = Self(15_981);
    /// An expression has more than one operator.
    pub const EXPRESSION_MULTIPLE_FIELDS: Self = Self(15_983);
    /// A path has an empty part.
    pub const PATH_EMPTY_PART: Self = Self(15_998);
    /// The place of `$round` or `$trunc` is no number.
    pub const ROUND_PLACE_NUMBER: Self = Self(16_004);
    /// A value is no date.
    pub const DATE_TYPE: Self = Self(16_006);
    /// A value has no text.
    pub const STRING_CONVERSION: Self = Self(16_007);
    /// An operator takes another number of arguments.
    pub const EXPRESSION_ARITY: Self = Self(16_020);
    /// The start of `$substrBytes` is no number.
    pub const SUBSTRING_START: Self = Self(16_034);
    /// The length of `$substrBytes` is no number.
    pub const SUBSTRING_LENGTH: Self = Self(16_035);
    /// A part of a path begins with a dollar sign.
    pub const PATH_DOLLAR_PREFIX: Self = Self(16_410);
    /// A path contains a NUL.
    pub const PATH_NULL_BYTE: Self = Self(16_411);
    /// A field name contains a dot.
    pub const PATH_DOT: Self = Self(16_412);
    /// The path of `$unwind` has a NUL character.
    pub const UNWIND_PATH_NULL_BYTE: Self = Self(16_419);
    /// A computed text is larger than a document may be.
    pub const STRING_TOO_LARGE: Self = Self(16_493);
    /// `$mod` by zero.
    pub const MODULO_BY_ZERO: Self = Self(16_610);
    /// `$mod` of what is no number.
    pub const MODULO_TYPE: Self = Self(16_611);
    /// `$add` of two dates.
    pub const MORE_THAN_ONE_DATE: Self = Self(16_612);
    /// `$concat` of what is no text.
    pub const CONCAT_TYPE: Self = Self(16_702);
    /// A hashed index cannot tell that two values are different.
    pub const HASHED_UNIQUE: Self = Self(16_764);
    /// A hashed index has no arrays.
    pub const HASHED_ARRAY: Self = Self(16_766);
    /// A variable has no name.
    pub const EMPTY_VARIABLE_NAME: Self = Self(16_867);
    /// A path in an expression is empty.
    pub const BAD_VARIABLE_NAME: Self = Self(16_872);
    /// `$let` takes an object.
    pub const LET_NOT_OBJECT: Self = Self(16_874);
    /// `$let` has no such argument.
    pub const LET_UNKNOWN_ARGUMENT: Self = Self(16_875);
    /// `$let` has no `vars`.
    pub const LET_WITHOUT_VARS: Self = Self(16_876);
    /// `$let` has no `in`.
    pub const LET_WITHOUT_IN: Self = Self(16_877);
    /// `$map` takes an object.
    pub const MAP_NOT_OBJECT: Self = Self(16_878);
    /// `$map` has no such argument.
    pub const MAP_UNKNOWN_ARGUMENT: Self = Self(16_879);
    /// `$map` has no `input`.
    pub const MAP_WITHOUT_INPUT: Self = Self(16_880);
    /// `$map` has no `in`.
    pub const MAP_WITHOUT_IN: Self = Self(16_882);
    /// The input of `$map` is no array.
    pub const MAP_INPUT_TYPE: Self = Self(16_883);
    /// `$out` takes the name of a collection.
    pub const OUT_TYPE: Self = Self(16_990);
    /// `$allElementsTrue` takes an array.
    pub const ALL_ELEMENTS_TYPE: Self = Self(17_040);
    /// `$anyElementTrue` takes an array.
    pub const ANY_ELEMENT_TYPE: Self = Self(17_041);
    /// The second operand of `$setIsSubset` is no array.
    pub const SUBSET_SECOND_TYPE: Self = Self(17_042);
    /// `$setUnion` takes arrays.
    pub const UNION_TYPE: Self = Self(17_043);
    /// `$setEquals` takes arrays.
    pub const SET_EQUALS_TYPE: Self = Self(17_044);
    /// `$setEquals` takes two or more arrays.
    pub const SET_EQUALS_ARITY: Self = Self(17_045);
    /// The first operand of `$setIsSubset` is no array.
    pub const SUBSET_FIRST_TYPE: Self = Self(17_046);
    /// `$setIntersection` takes arrays.
    pub const INTERSECTION_TYPE: Self = Self(17_047);
    /// The first operand of `$setDifference` is no array.
    pub const DIFFERENCE_FIRST_TYPE: Self = Self(17_048);
    /// The second operand of `$setDifference` is no array.
    pub const DIFFERENCE_SECOND_TYPE: Self = Self(17_049);
    /// The expression of `$redact` gives something else than a decision.
    pub const REDACT_DECISION: Self = Self(17_053);
    /// `$cond` has no `if`.
    pub const COND_WITHOUT_IF: Self = Self(17_080);
    /// `$cond` has no `then`.
    pub const COND_WITHOUT_THEN: Self = Self(17_081);
    /// `$cond` has no `else`.
    pub const COND_WITHOUT_ELSE: Self = Self(17_082);
    /// `$cond` has no such argument.
    pub const COND_UNKNOWN_ARGUMENT: Self = Self(17_083);
    /// `$size` takes an array.
    pub const SIZE_TYPE: Self = Self(17_124);
    /// `$out` names a capped collection.
    pub const OUT_TO_CAPPED: Self = Self(17_152);
    /// A variable is not defined.
    pub const UNDEFINED_VARIABLE: Self = Self(17_276);
    /// A sort by an expression that is not `$meta`.
    pub const SORT_EXPRESSION: Self = Self(17_312);
    /// An `_id` of `$group` looks like an inclusion.
    pub const GROUP_INCLUSION: Self = Self(17_390);
    /// The format of a date is no text.
    pub const DATE_FORMAT_TYPE: Self = Self(18_533);
    /// `$dateToString` has no such argument.
    pub const DATE_TO_STRING_UNKNOWN_ARGUMENT: Self = Self(18_534);
    /// A format of dates ends with a percent sign alone.
    pub const DATE_FORMAT_END: Self = Self(18_535);
    /// A format of dates is not one.
    pub const DATE_FORMAT: Self = Self(18_536);
    /// A year has no text of four digits.
    pub const DATE_YEAR_RANGE: Self = Self(18_537);
    /// `$dateToString` has no `date`.
    pub const DATE_TO_STRING_WITHOUT_DATE: Self = Self(18_628);
    /// `$dateToString` takes an object.
    pub const DATE_TO_STRING_NOT_OBJECT: Self = Self(18_629);
    /// `$filter` takes an object.
    pub const FILTER_NOT_OBJECT: Self = Self(28_646);
    /// `$filter` has no such argument.
    pub const FILTER_UNKNOWN_ARGUMENT: Self = Self(28_647);
    /// `$filter` has no `input`.
    pub const FILTER_WITHOUT_INPUT: Self = Self(28_648);
    /// `$filter` has no `cond`.
    pub const FILTER_WITHOUT_COND: Self = Self(28_650);
    /// The input of `$filter` is no array.
    pub const FILTER_INPUT_TYPE: Self = Self(28_651);
    /// `$substrBytes` starts inside a character.
    pub const SUBSTRING_STARTS_INSIDE: Self = Self(28_656);
    /// `$substrBytes` ends inside a character.
    pub const SUBSTRING_ENDS_INSIDE: Self = Self(28_657);
    /// `$concatArrays` takes arrays.
    pub const CONCAT_ARRAYS_TYPE: Self = Self(28_664);
    /// An operator takes fewer or more arguments.
    pub const EXPRESSION_ARITY_RANGE: Self = Self(28_667);
    /// `$abs` of the smallest integer.
    pub const ABS_OVERFLOW: Self = Self(28_680);
    /// `$arrayElemAt` takes an array.
    pub const ARRAY_ELEM_AT_TYPE: Self = Self(28_689);
    /// The position of `$arrayElemAt` is no number.
    pub const ARRAY_ELEM_AT_INDEX_TYPE: Self = Self(28_690);
    /// The position of `$arrayElemAt` is no 32-bit integer.
    pub const ARRAY_ELEM_AT_INDEX: Self = Self(28_691);
    /// `$sqrt` of a negative number.
    pub const SQRT_NEGATIVE: Self = Self(28_714);
    /// `$slice` takes an array.
    pub const SLICE_TYPE: Self = Self(28_724);
    /// An argument of `$slice` is no number.
    pub const SLICE_NUMBER_TYPE: Self = Self(28_725);
    /// An argument of `$slice` is no 32-bit integer.
    pub const SLICE_NUMBER: Self = Self(28_726);
    /// The count of `$slice` is not positive.
    pub const SLICE_COUNT: Self = Self(28_729);
    /// `$sample` takes an object.
    pub const SAMPLE_NOT_OBJECT: Self = Self(28_745);
    /// The size of `$sample` is no number.
    pub const SAMPLE_SIZE_TYPE: Self = Self(28_746);
    /// The size of `$sample` is negative.
    pub const SAMPLE_SIZE: Self = Self(28_747);
    /// `$sample` has no such argument.
    pub const SAMPLE_UNKNOWN_ARGUMENT: Self = Self(28_748);
    /// `$sample` has no `size`.
    pub const SAMPLE_WITHOUT_SIZE: Self = Self(28_749);
    /// The argument of `$log` is no number.
    pub const LOG_VALUE_TYPE: Self = Self(28_756);
    /// The base of `$log` is no number.
    pub const LOG_BASE_TYPE: Self = Self(28_757);
    /// The argument of `$log` is not positive.
    pub const LOG_VALUE: Self = Self(28_758);
    /// The base of `$log` is not positive, or 1.
    pub const LOG_BASE: Self = Self(28_759);
    /// The argument of `$log10` is not positive.
    pub const LOG10_VALUE: Self = Self(28_761);
    /// The base of `$pow` is no number.
    pub const POW_BASE_TYPE: Self = Self(28_762);
    /// The exponent of `$pow` is no number.
    pub const POW_EXPONENT_TYPE: Self = Self(28_763);
    /// `$pow` of zero to a negative exponent.
    pub const POW_ZERO_NEGATIVE: Self = Self(28_764);
    /// An operator of one number takes numbers.
    pub const NOT_A_NUMBER: Self = Self(28_765);
    /// The argument of `$ln` is not positive.
    pub const LN_VALUE: Self = Self(28_766);
    /// `$indexStats` takes an empty object.
    pub const INDEX_STATS_ARGUMENT: Self = Self(28_803);
    /// The path of `$unwind` is no text.
    pub const UNWIND_PATH_TYPE: Self = Self(28_808);
    /// `preserveNullAndEmptyArrays` is no boolean.
    pub const UNWIND_PRESERVE_TYPE: Self = Self(28_809);
    /// `includeArrayIndex` is no field name.
    pub const UNWIND_INDEX_TYPE: Self = Self(28_810);
    /// `$unwind` has no such option.
    pub const UNWIND_UNKNOWN_OPTION: Self = Self(28_811);
    /// `$unwind` has no path.
    pub const UNWIND_WITHOUT_PATH: Self = Self(28_812);
    /// The path of `$unwind` has no dollar sign in front.
    pub const UNWIND_PATH_DOLLAR: Self = Self(28_818);
    /// `includeArrayIndex` begins with a dollar sign.
    pub const UNWIND_INDEX_DOLLAR: Self = Self(28_822);
    /// `$unset` takes a path or an array of paths.
    pub const UNSET_TYPE: Self = Self(31_002);
    /// A regular expression operator has no `input`.
    pub const REGEX_WITHOUT_INPUT: Self = Self(31_022);
    /// A regular expression operator has no `regex`.
    pub const REGEX_WITHOUT_REGEX: Self = Self(31_023);
    /// A regular expression operator has no such argument.
    pub const REGEX_UNKNOWN_ARGUMENT: Self = Self(31_024);
    /// A part of `$dateFromParts` is out of range.
    pub const DATE_FROM_PARTS_RANGE: Self = Self(31_034);
    /// A value does not fit the type asked for.
    pub const CONVERSION_OUT_OF_RANGE: Self = Self(31_109);
    /// `$unset` takes at least one path.
    pub const UNSET_EMPTY: Self = Self(31_119);
    /// `$unset` takes texts.
    pub const UNSET_ELEMENT_TYPE: Self = Self(31_120);
    /// A sort by a `$meta` that does not exist.
    pub const SORT_META: Self = Self(31_138);
    /// A projection names a path after a prefix of it.
    pub const PATH_COLLISION_CHILD: Self = Self(31_249);
    /// A projection names a path after one below it.
    pub const PATH_COLLISION_PARENT: Self = Self(31_250);
    /// A projection excludes, and includes a field.
    pub const INCLUSION_IN_EXCLUSION: Self = Self(31_253);
    /// A projection includes, and excludes a field.
    pub const EXCLUSION_IN_INCLUSION: Self = Self(31_254);
    /// A projection has `$elemMatch` and the positional operator.
    pub const POSITIONAL_AND_ELEM_MATCH: Self = Self(31_256);
    /// The positional operator of a projection takes no expression.
    pub const POSITIONAL_VALUE: Self = Self(31_271);
    /// `$elemMatch` takes an object.
    pub const ELEM_MATCH_NOT_OBJECT: Self = Self(31_274);
    /// `$elemMatch` stands at a nested field.
    pub const ELEM_MATCH_NESTED: Self = Self(31_275);
    /// A projection has the positional operator twice.
    pub const POSITIONAL_TWICE: Self = Self(31_276);
    /// Two fields of an index are hashed.
    pub const HASHED_TWICE: Self = Self(31_303);
    /// A projection excludes, and computes a field.
    pub const VALUE_IN_EXCLUSION: Self = Self(31_310);
    /// A positional projection in a pipeline.
    pub const POSITIONAL_IN_PIPELINE: Self = Self(31_324);
    /// A projection has an operator that does not exist.
    pub const PROJECT_UNKNOWN_EXPRESSION: Self = Self(31_325);
    /// `$bsonSize` takes an object.
    pub const BSON_SIZE_TYPE: Self = Self(31_393);
    /// The positional operator stands inside a path.
    pub const POSITIONAL_IN_MIDDLE: Self = Self(31_394);
    /// The positional operator of a projection does not include its field.
    pub const POSITIONAL_IN_EXCLUSION: Self = Self(31_395);
    /// A stage may not stand in the pipeline of `$unionWith`.
    pub const UNION_STAGE_NOT_ALLOWED: Self = Self(31_441);
    /// `on` of `$merge` names a field twice.
    pub const MERGE_ON_TWICE: Self = Self(31_465);
    /// `$reverseArray` takes an array.
    pub const REVERSE_ARRAY_TYPE: Self = Self(34_435);
    /// The start of `$range` is no number.
    pub const RANGE_START_TYPE: Self = Self(34_443);
    /// The start of `$range` is no 32-bit integer.
    pub const RANGE_START: Self = Self(34_444);
    /// The end of `$range` is no number.
    pub const RANGE_END_TYPE: Self = Self(34_445);
    /// The end of `$range` is no 32-bit integer.
    pub const RANGE_END: Self = Self(34_446);
    /// The step of `$range` is no number.
    pub const RANGE_STEP_TYPE: Self = Self(34_447);
    /// The step of `$range` is no 32-bit integer.
    pub const RANGE_STEP: Self = Self(34_448);
    /// The step of `$range` is zero.
    pub const RANGE_STEP_ZERO: Self = Self(34_449);
    /// The start of `$substrCP` is no number.
    pub const SUBSTR_CP_START_TYPE: Self = Self(34_450);
    /// The start of `$substrCP` is no 32-bit integer.
    pub const SUBSTR_CP_START: Self = Self(34_451);
    /// The length of `$substrCP` is no number.
    pub const SUBSTR_CP_LENGTH_TYPE: Self = Self(34_452);
    /// The length of `$substrCP` is no 32-bit integer.
    pub const SUBSTR_CP_LENGTH: Self = Self(34_453);
    /// The length of `$substrCP` is negative.
    pub const SUBSTR_CP_LENGTH_NEGATIVE: Self = Self(34_454);
    /// The start of `$substrCP` is negative.
    pub const SUBSTR_CP_START_NEGATIVE: Self = Self(34_455);
    /// `$zip` takes an object with an array of inputs.
    pub const ZIP_NOT_OBJECT: Self = Self(34_460);
    /// The inputs of `$zip` are no array.
    pub const ZIP_INPUTS_TYPE: Self = Self(34_461);
    /// The defaults of `$zip` are no array.
    pub const ZIP_DEFAULTS_TYPE: Self = Self(34_462);
    /// `useLongestLength` of `$zip` is no boolean.
    pub const ZIP_LONGEST_TYPE: Self = Self(34_463);
    /// `$zip` has no such argument.
    pub const ZIP_UNKNOWN_ARGUMENT: Self = Self(34_464);
    /// `$zip` has no inputs.
    pub const ZIP_WITHOUT_INPUTS: Self = Self(34_465);
    /// `$zip` has defaults that are not used.
    pub const ZIP_DEFAULTS_UNUSED: Self = Self(34_466);
    /// `$zip` has another number of defaults than of inputs.
    pub const ZIP_DEFAULTS_LENGTH: Self = Self(34_467);
    /// An input of `$zip` is no array.
    pub const ZIP_INPUT_TYPE: Self = Self(34_468);
    /// `$strLenCP` takes a text.
    pub const STR_LEN_CP_TYPE: Self = Self(34_471);
    /// `$strLenBytes` takes a text.
    pub const STR_LEN_BYTES_TYPE: Self = Self(34_473);
    /// `$switch` takes an object.
    pub const SWITCH_NOT_OBJECT: Self = Self(40_060);
    /// The branches of `$switch` are no array.
    pub const SWITCH_BRANCHES_TYPE: Self = Self(40_061);
    /// A branch of `$switch` is no object.
    pub const SWITCH_BRANCH_TYPE: Self = Self(40_062);
    /// A branch of `$switch` has no such argument.
    pub const SWITCH_BRANCH_UNKNOWN_ARGUMENT: Self = Self(40_063);
    /// A branch of `$switch` has no `case`.
    pub const SWITCH_WITHOUT_CASE: Self = Self(40_064);
    /// A branch of `$switch` has no `then`.
    pub const SWITCH_WITHOUT_THEN: Self = Self(40_065);
    /// `$switch` has no such argument.
    pub const SWITCH_UNKNOWN_ARGUMENT: Self = Self(40_067);
    /// `$switch` has no branches.
    pub const SWITCH_WITHOUT_BRANCHES: Self = Self(40_068);
    /// No branch of `$switch` holds, and it has no default.
    pub const SWITCH_NO_MATCH: Self = Self(40_069);
    /// `$reduce` takes an object.
    pub const REDUCE_NOT_OBJECT: Self = Self(40_075);
    /// `$reduce` has no such argument.
    pub const REDUCE_UNKNOWN_ARGUMENT: Self = Self(40_076);
    /// `$reduce` has no `input`.
    pub const REDUCE_WITHOUT_INPUT: Self = Self(40_077);
    /// `$reduce` has no `initialValue`.
    pub const REDUCE_WITHOUT_INITIAL_VALUE: Self = Self(40_078);
    /// `$reduce` has no `in`.
    pub const REDUCE_WITHOUT_IN: Self = Self(40_079);
    /// The input of `$reduce` is no array.
    pub const REDUCE_INPUT_TYPE: Self = Self(40_080);
    /// The second operand of `$in` is no array.
    pub const IN_TYPE: Self = Self(40_081);
    /// `$split` takes a text.
    pub const SPLIT_TYPE: Self = Self(40_085);
    /// The separator of `$split` is empty.
    pub const SPLIT_EMPTY_SEPARATOR: Self = Self(40_087);
    /// `$indexOfArray` takes an array.
    pub const INDEX_OF_ARRAY_TYPE: Self = Self(40_090);
    /// `$indexOfBytes` takes a text.
    pub const INDEX_OF_BYTES_TYPE: Self = Self(40_091);
    /// `$indexOfBytes` looks for a text.
    pub const INDEX_OF_BYTES_SEARCH_TYPE: Self = Self(40_092);
    /// `$indexOfCP` takes a text.
    pub const INDEX_OF_CP_TYPE: Self = Self(40_093);
    /// `$indexOfCP` looks for a text.
    pub const INDEX_OF_CP_SEARCH_TYPE: Self = Self(40_094);
    /// A bound of a search is no integer.
    pub const INDEX_OF_BOUND_TYPE: Self = Self(40_096);
    /// A bound of a search is negative.
    pub const INDEX_OF_BOUND_NEGATIVE: Self = Self(40_097);
    /// `maxDepth` of `$graphLookup` is no number.
    pub const GRAPH_LOOKUP_DEPTH_TYPE: Self = Self(40_100);
    /// `maxDepth` of `$graphLookup` is negative.
    pub const GRAPH_LOOKUP_DEPTH_NEGATIVE: Self = Self(40_101);
    /// `maxDepth` of `$graphLookup` is no integer.
    pub const GRAPH_LOOKUP_DEPTH_INTEGER: Self = Self(40_102);
    /// An argument of `$graphLookup` is no text.
    pub const GRAPH_LOOKUP_TEXT: Self = Self(40_103);
    /// `$graphLookup` has no such argument.
    pub const GRAPH_LOOKUP_UNKNOWN_ARGUMENT: Self = Self(40_104);
    /// `$graphLookup` needs an argument.
    pub const GRAPH_LOOKUP_MISSING_ARGUMENT: Self = Self(40_105);
    /// `$count` takes a text.
    pub const COUNT_TYPE: Self = Self(40_156);
    /// `$count` takes a name that is not empty.
    pub const COUNT_EMPTY: Self = Self(40_157);
    /// The name of `$count` begins with a dollar sign.
    pub const COUNT_DOLLAR: Self = Self(40_158);
    /// The name of `$count` contains a NUL.
    pub const COUNT_NULL_BYTE: Self = Self(40_159);
    /// The name of `$count` contains a dot.
    pub const COUNT_DOT: Self = Self(40_160);
    /// `$facet` takes an object of pipelines.
    pub const FACET_NOT_OBJECT: Self = Self(40_169);
    /// A facet is no array.
    pub const FACET_NOT_ARRAY: Self = Self(40_170);
    /// A stage of a facet is no object.
    pub const FACET_STAGE_NOT_OBJECT: Self = Self(40_171);
    /// Two paths of one specification collide.
    pub const PATH_CONFLICT: Self = Self(40_176);
    /// `restrictSearchWithMatch` of `$graphLookup` is no object.
    pub const GRAPH_LOOKUP_MATCH_TYPE: Self = Self(40_185);
    /// A bound of `$bucket` is not constant.
    pub const BUCKET_BOUND_NOT_CONSTANT: Self = Self(40_191);
    /// `$bucket` has fewer than two bounds.
    pub const BUCKET_BOUNDS_LENGTH: Self = Self(40_192);
    /// The bounds of `$bucket` are of several types.
    pub const BUCKET_BOUNDS_MIXED: Self = Self(40_193);
    /// The bounds of `$bucket` are not ascending.
    pub const BUCKET_BOUNDS_ORDER: Self = Self(40_194);
    /// The output of `$bucket` is no object.
    pub const BUCKET_OUTPUT_TYPE: Self = Self(40_196);
    /// `$bucket` has no such argument.
    pub const BUCKET_UNKNOWN_ARGUMENT: Self = Self(40_197);
    /// `$bucket` misses an argument.
    pub const BUCKET_MISSING_ARGUMENT: Self = Self(40_198);
    /// The default of `$bucket` lies among its bounds.
    pub const BUCKET_DEFAULT: Self = Self(40_199);
    /// The bounds of `$bucket` are no array.
    pub const BUCKET_BOUNDS_TYPE: Self = Self(40_200);
    /// `$bucket` takes an object.
    pub const BUCKET_NOT_OBJECT: Self = Self(40_201);
    /// `groupBy` of `$bucket` is no expression.
    pub const BUCKET_GROUP_BY: Self = Self(40_202);
    /// A new root is no object.
    pub const REPLACE_ROOT_TYPE: Self = Self(40_228);
    /// `$replaceRoot` takes an object.
    pub const REPLACE_ROOT_NOT_OBJECT: Self = Self(40_229);
    /// A field of a group is no accumulator.
    pub const GROUP_FIELD_NOT_ACCUMULATOR: Self = Self(40_234);
    /// A field of a group has a dot in its name.
    pub const GROUP_FIELD_DOT: Self = Self(40_235);
    /// A field of a group begins with a dollar sign.
    pub const GROUP_FIELD_DOLLAR: Self = Self(40_236);
    /// An accumulator takes one argument.
    pub const ACCUMULATOR_UNARY: Self = Self(40_237);
    /// A field of a group has several accumulators.
    pub const GROUP_FIELD_MULTIPLE: Self = Self(40_238);
    /// `groupBy` of `$bucketAuto` is no expression.
    pub const BUCKET_AUTO_GROUP_BY: Self = Self(40_239);
    /// `$bucketAuto` takes an object.
    pub const BUCKET_AUTO_TYPE: Self = Self(40_240);
    /// `buckets` of `$bucketAuto` is no number.
    pub const BUCKET_AUTO_COUNT_TYPE: Self = Self(40_241);
    /// `buckets` of `$bucketAuto` is no 32-bit integer.
    pub const BUCKET_AUTO_COUNT: Self = Self(40_242);
    /// `buckets` of `$bucketAuto` is not positive.
    pub const BUCKET_AUTO_COUNT_VALUE: Self = Self(40_243);
    /// `output` of `$bucketAuto` is no object.
    pub const BUCKET_AUTO_OUTPUT: Self = Self(40_244);
    /// `$bucketAuto` has no such argument.
    pub const BUCKET_AUTO_UNKNOWN_ARGUMENT: Self = Self(40_245);
    /// `$bucketAuto` needs `groupBy` and `buckets`.
    pub const BUCKET_AUTO_MISSING_ARGUMENT: Self = Self(40_246);
    /// `granularity` of `$bucketAuto` is no text.
    pub const BUCKET_AUTO_GRANULARITY: Self = Self(40_261);
    /// `$set` and `$addFields` take an object.
    pub const SET_NOT_OBJECT: Self = Self(40_272);
    /// A stage is not an object of one field.
    pub const STAGE_FIELDS: Self = Self(40_323);
    /// No stage has this name.
    pub const UNKNOWN_STAGE: Self = Self(40_324);
    /// `$graphLookup` takes an object.
    pub const GRAPH_LOOKUP_TYPE: Self = Self(40_327);
    /// A path is empty.
    pub const PATH_EMPTY: Self = Self(40_352);
    /// A path ends with a dot.
    pub const PATH_TRAILING_DOT: Self = Self(40_353);
    /// `$arrayToObject` takes an array.
    pub const ARRAY_TO_OBJECT_TYPE: Self = Self(40_386);
    /// `$objectToArray` takes an object.
    pub const OBJECT_TO_ARRAY_TYPE: Self = Self(40_390);
    /// `$arrayToObject` has a pair after objects.
    pub const ARRAY_TO_OBJECT_PAIR_AFTER_OBJECT: Self = Self(40_391);
    /// An object of `$arrayToObject` has not two fields.
    pub const ARRAY_TO_OBJECT_FIELDS: Self = Self(40_392);
    /// An object of `$arrayToObject` has not `k` and `v`.
    pub const ARRAY_TO_OBJECT_NAMES: Self = Self(40_393);
    /// A key of `$arrayToObject` is no text.
    pub const ARRAY_TO_OBJECT_KEY_TYPE: Self = Self(40_394);
    /// A key of a pair of `$arrayToObject` is no text.
    pub const ARRAY_TO_OBJECT_PAIR_KEY_TYPE: Self = Self(40_395);
    /// `$arrayToObject` has an object after pairs.
    pub const ARRAY_TO_OBJECT_OBJECT_AFTER_PAIR: Self = Self(40_396);
    /// A pair of `$arrayToObject` has not two elements.
    pub const ARRAY_TO_OBJECT_PAIR_LENGTH: Self = Self(40_397);
    /// An element of `$arrayToObject` is neither pair nor object.
    pub const ARRAY_TO_OBJECT_ELEMENT: Self = Self(40_398);
    /// `$mergeObjects` takes objects.
    pub const MERGE_OBJECTS_TYPE: Self = Self(40_400);
    /// A field is given twice.
    pub const DUPLICATE_FIELD: Self = Self(40_413);
    /// A required field is missing.
    pub const MISSING_FIELD: Self = Self(40_414);
    /// A field is not known.
    pub const UNKNOWN_FIELD: Self = Self(40_415);
    /// A time zone does not exist.
    pub const TIME_ZONE: Self = Self(40_485);
    /// `$dateFromParts` mixes years and weeks.
    pub const DATE_FROM_PARTS_MIXED: Self = Self(40_489);
    /// A part of `$dateFromParts` is no whole number.
    pub const DATE_FROM_PARTS_TYPE: Self = Self(40_515);
    /// `$dateFromParts` has no year.
    pub const DATE_FROM_PARTS_WITHOUT_YEAR: Self = Self(40_516);
    /// A time zone is no text.
    pub const TIME_ZONE_TYPE: Self = Self(40_517);
    /// `$dateFromParts` has no such argument.
    pub const DATE_FROM_PARTS_UNKNOWN_ARGUMENT: Self = Self(40_518);
    /// `$dateFromParts` takes an object.
    pub const DATE_FROM_PARTS_NOT_OBJECT: Self = Self(40_519);
    /// `$dateToParts` has no such argument.
    pub const DATE_TO_PARTS_UNKNOWN_ARGUMENT: Self = Self(40_520);
    /// The `iso8601` of `$dateToParts` is true or false.
    pub const DATE_TO_PARTS_ISO_TYPE: Self = Self(40_521);
    /// `$dateToParts` has no `date`.
    pub const DATE_TO_PARTS_WITHOUT_DATE: Self = Self(40_522);
    /// The year of `$dateFromParts` is out of range.
    pub const DATE_FROM_PARTS_YEAR: Self = Self(40_523);
    /// `$dateToParts` takes an object.
    pub const DATE_TO_PARTS_NOT_OBJECT: Self = Self(40_524);
    /// `$dateFromParts` mixes weeks with months or days.
    pub const DATE_FROM_PARTS_ISO_MIXED: Self = Self(40_525);
    /// A date operator has no such argument.
    pub const DATE_UNKNOWN_ARGUMENT: Self = Self(40_535);
    /// A date operator takes one argument.
    pub const DATE_ARRAY_ARGUMENT: Self = Self(40_536);
    /// A date operator has no `date`.
    pub const DATE_WITHOUT_DATE: Self = Self(40_539);
    /// `$dateFromString` takes an object.
    pub const DATE_FROM_STRING_NOT_OBJECT: Self = Self(40_540);
    /// `$dateFromString` has no such argument.
    pub const DATE_FROM_STRING_UNKNOWN_ARGUMENT: Self = Self(40_541);
    /// `$dateFromString` has no `dateString`.
    pub const DATE_FROM_STRING_WITHOUT_TEXT: Self = Self(40_542);
    /// A stage may not stand in a facet.
    pub const FACET_STAGE_NOT_ALLOWED: Self = Self(40_600);
    /// A stage may only stand last.
    pub const NOT_LAST_STAGE: Self = Self(40_601);
    /// A stage may only stand first.
    pub const NOT_FIRST_STAGE: Self = Self(40_602);
    /// The format of `$dateFromString` is no text.
    pub const DATE_FROM_STRING_FORMAT_TYPE: Self = Self(40_684);
    /// `$trim` has no such argument.
    pub const TRIM_UNKNOWN_ARGUMENT: Self = Self(50_694);
    /// `$trim` has no `input`.
    pub const TRIM_WITHOUT_INPUT: Self = Self(50_695);
    /// `$trim` takes an object.
    pub const TRIM_NOT_OBJECT: Self = Self(50_696);
    /// The input of `$trim` is no text.
    pub const TRIM_INPUT_TYPE: Self = Self(50_699);
    /// The characters of `$trim` are no text.
    pub const TRIM_CHARS_TYPE: Self = Self(50_700);
    /// A conversion takes one argument.
    pub const CONVERSION_ARITY: Self = Self(50_723);
    /// The start of `$substrBytes` is negative.
    pub const SUBSTRING_START_NEGATIVE: Self = Self(50_752);
    /// A function of angles is not defined for a number.
    pub const TRIGONOMETRY_VALUE: Self = Self(50_989);
    /// The first operand of `$atan2` is no number.
    pub const ATAN2_FIRST_TYPE: Self = Self(51_044);
    /// The second operand of `$atan2` is no number.
    pub const ATAN2_SECOND_TYPE: Self = Self(51_045);
    /// A stage may not stand in the pipeline of a join.
    pub const LOOKUP_STAGE_NOT_ALLOWED: Self = Self(51_047);
    /// A regular expression and `$options` both have options.
    pub const REGEX_FLAGS_AND_OPTIONS: Self = Self(51_075);
    /// The result of `$round` or `$trunc` does not fit.
    pub const ROUND_OVERFLOW: Self = Self(51_080);
    /// `$round` and `$trunc` take numbers.
    pub const ROUND_VALUE_TYPE: Self = Self(51_081);
    /// The place of `$round` or `$trunc` is no integer.
    pub const ROUND_PLACE_TYPE: Self = Self(51_082);
    /// The place of `$round` or `$trunc` is out of range.
    pub const ROUND_PLACE: Self = Self(51_083);
    /// A regular expression does not compile.
    pub const REGEX_COMPILE: Self = Self(51_091);
    /// A regular expression operator takes an object.
    pub const REGEX_NOT_OBJECT: Self = Self(51_103);
    /// The input of a regular expression operator is no text.
    pub const REGEX_INPUT_TYPE: Self = Self(51_104);
    /// A regular expression is neither text nor regular expression.
    pub const REGEX_REGEX_TYPE: Self = Self(51_105);
    /// The options of a regular expression are no text.
    pub const REGEX_OPTIONS_TYPE: Self = Self(51_106);
    /// A regular expression has options in two places.
    pub const REGEX_OPTIONS_TWICE: Self = Self(51_107);
    /// A regular expression has an option that does not exist.
    pub const REGEX_OPTION: Self = Self(51_108);
    /// A regular expression is not one.
    pub const REGEX_PATTERN: Self = Self(51_111);
    /// A document has no field that `$merge` goes by.
    pub const MERGE_ON_MISSING: Self = Self(51_132);
    /// `on` of `$merge` is an array of texts.
    pub const MERGE_ON_ELEMENT_TYPE: Self = Self(51_134);
    /// The value of a variable of an operation depends on the moment.
    pub const LET_READS_SYSTEM: Self = Self(51_144);
    /// A regular expression takes too many steps.
    pub const REGEX_STEPS: Self = Self(51_156);
    /// `min` or `max` does not go with the index of the hint.
    pub const MIN_MAX_OF_OTHER_INDEX: Self = Self(51_174);
    /// `min` does not come before `max`.
    pub const MIN_NOT_BEFORE_MAX: Self = Self(51_175);
    /// `min` and `max` have different fields.
    pub const MIN_MAX_FIELDS: Self = Self(51_176);
    /// `into` of `$merge` has the wrong type.
    pub const MERGE_INTO_TYPE: Self = Self(51_178);
    /// `whenMatched` and `whenNotMatched` of `$merge` do not go together.
    pub const MERGE_COMBINATION: Self = Self(51_181);
    /// `$merge` takes the name of a collection or an object.
    pub const MERGE_TYPE: Self = Self(51_182);
    /// The fields that `$merge` goes by have no unique index.
    pub const MERGE_WITHOUT_UNIQUE_INDEX: Self = Self(51_183);
    /// A field that `$merge` goes by is an array.
    pub const MERGE_ON_ARRAY: Self = Self(51_185);
    /// `on` of `$merge` has the wrong type.
    pub const MERGE_ON_TYPE: Self = Self(51_186);
    /// `on` of `$merge` names no field.
    pub const MERGE_ON_EMPTY: Self = Self(51_187);
    /// `whenMatched` of `$merge` has the wrong type.
    pub const MERGE_WHEN_MATCHED_TYPE: Self = Self(51_191);
    /// `let` of `$merge` goes with a pipeline.
    pub const MERGE_LET_WITHOUT_PIPELINE: Self = Self(51_199);
    /// The filter has not found the document by an element.
    pub const POSITIONAL_NOT_FOUND: Self = Self(51_246);
    /// The element that was found is past the end of the array that is shown.
    pub const POSITIONAL_PAST_END: Self = Self(51_247);
    /// A projection of a field is empty.
    pub const PROJECT_EMPTY_OBJECT: Self = Self(51_270);
    /// A projection is empty.
    pub const PROJECT_EMPTY: Self = Self(51_272);
    /// The variable `new` of `$merge` is the document itself.
    pub const MERGE_LET_NEW: Self = Self(51_273);
    /// `$binarySize` takes a text or binary data.
    pub const BINARY_SIZE_TYPE: Self = Self(51_276);
    /// `$replaceOne` has no `replacement`.
    pub const REPLACE_WITHOUT_REPLACEMENT: Self = Self(51_747);
    /// `$replaceOne` has no `find`.
    pub const REPLACE_WITHOUT_FIND: Self = Self(51_748);
    /// `$replaceOne` has no `input`.
    pub const REPLACE_WITHOUT_INPUT: Self = Self(51_749);
    /// `$replaceOne` has no such argument.
    pub const REPLACE_UNKNOWN_ARGUMENT: Self = Self(51_750);
    /// `$replaceOne` takes an object.
    pub const REPLACE_NOT_OBJECT: Self = Self(51_751);
    /// The limit of `$filter` is no integer.
    pub const FILTER_LIMIT_TYPE: Self = Self(327_391);
    /// The limit of `$filter` is not positive.
    pub const FILTER_LIMIT: Self = Self(327_392);
    /// `$linearFill` needs a sort by one field.
    pub const LINEAR_FILL_SORT: Self = Self(605_001);
    /// `$ifNull` takes two or more arguments.
    pub const IF_NULL_ARITY: Self = Self(1_257_300);
    /// `$sortArray` takes an object.
    pub const SORT_ARRAY_NOT_OBJECT: Self = Self(2_942_500);
    /// `$sortArray` has no such argument.
    pub const SORT_ARRAY_UNKNOWN_ARGUMENT: Self = Self(2_942_501);
    /// `$sortArray` has no `input`.
    pub const SORT_ARRAY_WITHOUT_INPUT: Self = Self(2_942_502);
    /// `$sortArray` has no `sortBy`.
    pub const SORT_ARRAY_WITHOUT_SORT_BY: Self = Self(2_942_503);
    /// The input of `$sortArray` is no array.
    pub const SORT_ARRAY_INPUT_TYPE: Self = Self(2_942_504);
    /// A direction of `$sortArray` is neither 1 nor -1.
    pub const SORT_ARRAY_DIRECTION: Self = Self(2_942_506);
    /// What `$sortArray` sorts by is neither a direction nor an object.
    pub const SORT_ARRAY_SORT_TYPE: Self = Self(2_942_507);
    /// `$rand` takes no arguments.
    pub const RAND_ARGUMENTS: Self = Self(3_040_501);
    /// `$getField` has no such argument.
    pub const GET_FIELD_UNKNOWN_ARGUMENT: Self = Self(3_041_701);
    /// `$getField` has no `field`.
    pub const GET_FIELD_WITHOUT_FIELD: Self = Self(3_041_702);
    /// `$getField` has no `input`.
    pub const GET_FIELD_WITHOUT_INPUT: Self = Self(3_041_703);
    /// The field of `$getField` is no text.
    pub const GET_FIELD_FIELD_TYPE: Self = Self(3_041_704);
    /// `$setField` takes an object.
    pub const SET_FIELD_NOT_OBJECT: Self = Self(4_161_100);
    /// `$setField` has no such argument.
    pub const SET_FIELD_UNKNOWN_ARGUMENT: Self = Self(4_161_101);
    /// `$setField` has no `field`.
    pub const SET_FIELD_WITHOUT_FIELD: Self = Self(4_161_102);
    /// `$setField` has no `value`.
    pub const SET_FIELD_WITHOUT_VALUE: Self = Self(4_161_103);
    /// The input of `$setField` is no object.
    pub const SET_FIELD_INPUT_TYPE: Self = Self(4_161_105);
    /// The field of `$setField` is not constant.
    pub const SET_FIELD_FIELD_NOT_CONSTANT: Self = Self(4_161_106);
    /// The field of `$setField` is no text.
    pub const SET_FIELD_FIELD_TYPE: Self = Self(4_161_107);
    /// The field of `$setField` is a path.
    pub const SET_FIELD_FIELD_PATH: Self = Self(4_161_108);
    /// `$setField` has no `input`.
    pub const SET_FIELD_WITHOUT_INPUT: Self = Self(4_161_109);
    /// A variable of an operation has the name of one of the system's.
    pub const LET_OVERRIDES_SYSTEM: Self = Self(4_738_901);
    /// A division by zero in a group.
    pub const GROUP_DIVIDE_BY_ZERO: Self = Self(4_848_401);
    /// A remainder of a division by zero in a group.
    pub const GROUP_MODULO_BY_ZERO: Self = Self(4_848_403);
    /// The value of a variable of an operation depends on a document.
    pub const LET_READS_DOCUMENT: Self = Self(4_890_500);
    /// A key of `$arrayToObject` contains a NUL.
    pub const ARRAY_TO_OBJECT_KEY_NULL_BYTE: Self = Self(4_940_401);
    /// `$skip` takes a number that is not negative.
    pub const SKIP_ARGUMENT: Self = Self(5_107_200);
    /// `$limit` takes a number that is not negative.
    pub const LIMIT_ARGUMENT: Self = Self(5_107_201);
    /// `$dateDiff` takes an object.
    pub const DATE_DIFF_NOT_OBJECT: Self = Self(5_166_301);
    /// `$dateDiff` has no such argument.
    pub const DATE_DIFF_UNKNOWN_ARGUMENT: Self = Self(5_166_302);
    /// `$dateDiff` has no `startDate`.
    pub const DATE_DIFF_WITHOUT_START: Self = Self(5_166_303);
    /// `$dateDiff` has no `endDate`.
    pub const DATE_DIFF_WITHOUT_END: Self = Self(5_166_304);
    /// `$dateDiff` has no `unit`.
    pub const DATE_DIFF_WITHOUT_UNIT: Self = Self(5_166_305);
    /// A date of `$dateDiff` is none.
    pub const DATE_DIFF_DATE_TYPE: Self = Self(5_166_307);
    /// The result of `$dateDiff` does not fit 64 bits.
    pub const DATE_DIFF_OVERFLOW: Self = Self(5_166_308);
    /// `$dateAdd` takes an object.
    pub const DATE_ADD_NOT_OBJECT: Self = Self(5_166_400);
    /// `$dateAdd` has no such argument.
    pub const DATE_ADD_UNKNOWN_ARGUMENT: Self = Self(5_166_401);
    /// `$dateAdd` needs an argument.
    pub const DATE_ADD_WITHOUT_ARGUMENT: Self = Self(5_166_402);
    /// The `startDate` of `$dateAdd` is no date.
    pub const DATE_ADD_START_TYPE: Self = Self(5_166_403);
    /// The amount of `$dateAdd` is no whole number.
    pub const DATE_ADD_AMOUNT: Self = Self(5_166_405);
    /// The result of `$dateAdd` is no date.
    pub const DATE_ADD_OVERFLOW: Self = Self(5_166_406);
    /// The lower bound of a window is above its upper one.
    pub const WINDOW_BOUNDS: Self = Self(5_339_900);
    /// A window of some documents needs a sort.
    pub const WINDOW_NEEDS_SORT: Self = Self(5_339_901);
    /// A range needs a sort by one ascending field.
    pub const WINDOW_RANGE_SORT: Self = Self(5_339_902);
    /// `$rank` and its like take no window.
    pub const RANK_WINDOW: Self = Self(5_371_601);
    /// `$rank` and its like need a sort by one field.
    pub const RANK_SORT: Self = Self(5_371_602);
    /// `$rank` and its like take an empty object.
    pub const RANK_ARGUMENT: Self = Self(5_371_603);
    /// A range without a unit is over numbers.
    pub const WINDOW_RANGE_NUMBER: Self = Self(5_429_413);
    /// A range with a unit is over dates.
    pub const WINDOW_RANGE_DATE: Self = Self(5_429_513);
    /// Bins of `$dateTrunc` are too large.
    pub const DATE_TRUNC_BIN_HOURS: Self = Self(5_439_002);
    /// Bins of `$dateTrunc` of months or years are too large.
    pub const DATE_TRUNC_BIN_MONTHS: Self = Self(5_439_006);
    /// `$dateTrunc` takes an object.
    pub const DATE_TRUNC_NOT_OBJECT: Self = Self(5_439_007);
    /// `$dateTrunc` has no such argument.
    pub const DATE_TRUNC_UNKNOWN_ARGUMENT: Self = Self(5_439_008);
    /// `$dateTrunc` has no `date`.
    pub const DATE_TRUNC_WITHOUT_DATE: Self = Self(5_439_009);
    /// `$dateTrunc` has no `unit`.
    pub const DATE_TRUNC_WITHOUT_UNIT: Self = Self(5_439_010);
    /// The `date` of `$dateTrunc` is none.
    pub const DATE_TRUNC_DATE_TYPE: Self = Self(5_439_012);
    /// A unit of time is no text.
    pub const DATE_UNIT_TYPE: Self = Self(5_439_013);
    /// The first day of the week is no text.
    pub const START_OF_WEEK_TYPE: Self = Self(5_439_015);
    /// The first day of the week is none.
    pub const START_OF_WEEK: Self = Self(5_439_016);
    /// The size of bins is no whole number.
    pub const DATE_TRUNC_BIN: Self = Self(5_439_017);
    /// The size of bins is not positive.
    pub const DATE_TRUNC_BIN_VALUE: Self = Self(5_439_018);
    /// The argument of `$collStats` is no object.
    pub const COLL_STATS_NOT_OBJECT: Self = Self(5_447_000);
    /// A unit is longer than a week.
    pub const WINDOW_UNIT: Self = Self(5_490_704);
    /// A window function sorts by something else.
    pub const WINDOW_SORT_VALUE: Self = Self(5_624_900);
    /// An operator that sorts by distance where none may.
    pub const NEAR_NOT_ALLOWED: Self = Self(5_626_500);
    /// `$tsSecond` takes a timestamp.
    pub const TS_SECOND_TYPE: Self = Self(5_687_301);
    /// `$tsIncrement` takes a timestamp.
    pub const TS_INCREMENT_TYPE: Self = Self(5_687_302);
    /// `into` of `$merge` is empty.
    pub const MERGE_INTO_EMPTY: Self = Self(5_786_800);
    /// `into` of `$merge` names no collection.
    pub const MERGE_INTO_WITHOUT_COLLECTION: Self = Self(5_786_801);
    /// `$firstN` and its like take an object.
    pub const N_ACCUMULATOR_NOT_OBJECT: Self = Self(5_787_900);
    /// `$firstN` and its like have no such argument.
    pub const N_ACCUMULATOR_UNKNOWN_ARGUMENT: Self = Self(5_787_901);
    /// The count of `$firstN` or `$lastN` is no number.
    pub const ENDS_COUNT_TYPE: Self = Self(5_787_902);
    /// An accumulator of so many values has no `n`.
    pub const ACCUMULATOR_COUNT_MISSING: Self = Self(5_787_906);
    /// `$firstN` and its like need an input.
    pub const N_ACCUMULATOR_WITHOUT_INPUT: Self = Self(5_787_907);
    /// The count of `$firstN` or `$lastN` is not a positive integer.
    pub const ENDS_COUNT: Self = Self(5_787_908);
    /// `$top` and its like take an object.
    pub const TOP_NOT_OBJECT: Self = Self(5_788_001);
    /// `$top` and its like have no such argument.
    pub const TOP_UNKNOWN_ARGUMENT: Self = Self(5_788_002);
    /// `$topN` and `$bottomN` need a count.
    pub const TOP_WITHOUT_COUNT: Self = Self(5_788_003);
    /// `$top` and its like need an output.
    pub const TOP_WITHOUT_OUTPUT: Self = Self(5_788_004);
    /// `$top` and its like need an order.
    pub const TOP_WITHOUT_ORDER: Self = Self(5_788_005);
    /// The input of `$firstN` or `$lastN` is no array.
    pub const ENDS_INPUT_TYPE: Self = Self(5_788_200);
    /// `$documents` takes an array of documents.
    pub const DOCUMENTS_TYPE: Self = Self(5_858_203);
    /// The accumulator `$mergeObjects` takes objects.
    pub const MERGE_OBJECTS_NOT_OBJECT: Self = Self(5_911_200);
    /// The amount of `$dateAdd` is larger than there are dates.
    pub const DATE_ADD_AMOUNT_RANGE: Self = Self(5_976_500);
    /// A path has more parts than one may have.
    pub const PATH_TOO_DEEP: Self = Self(5_984_700);
    /// The amount of `$dateSubtract` has no negative.
    pub const DATE_SUBTRACT_AMOUNT: Self = Self(6_045_000);
    /// `$linearFill` takes numbers and nulls.
    pub const LINEAR_FILL_TYPE: Self = Self(6_050_201);
    /// A field beside the wildcard of an index is an array.
    pub const WILDCARD_BESIDE_ARRAY: Self = Self(7_246_301);
    /// `$percentile` takes an object.
    pub const PERCENTILE_NOT_OBJECT: Self = Self(7_429_703);
    /// `$median` takes an object.
    pub const MEDIAN_NOT_OBJECT: Self = Self(7_436_100);
    /// A sort names a path twice.
    pub const SORT_DUPLICATE_KEY: Self = Self(7_472_500);
    /// The `n` of an accumulator is not a positive integer.
    pub const ACCUMULATOR_COUNT: Self = Self(7_548_606);
    /// A pipeline has more stages than one may have.
    pub const PIPELINE_TOO_LONG: Self = Self(7_749_501);
    /// `p` of `$percentile` is no array of constants.
    pub const PERCENTILE_FRACTIONS: Self = Self(7_750_301);
    /// A fraction of `$percentile` is no number.
    pub const PERCENTILE_FRACTION_TYPE: Self = Self(7_750_302);
    /// A fraction of `$percentile` does not lie between 0 and 1.
    pub const PERCENTILE_FRACTION: Self = Self(7_750_303);
    /// The field of `$count` is `_id`.
    pub const COUNT_ID: Self = Self(9_039_800);
    /// A bound of `$indexOfArray` is no integer.
    pub const INDEX_OF_ARRAY_BOUND_TYPE: Self = Self(9_711_600);
    /// A bound of `$indexOfArray` is negative.
    pub const INDEX_OF_ARRAY_BOUND_NEGATIVE: Self = Self(9_711_601);
    /// `$rename` to a name with a NUL character.
    pub const RENAME_NUL: Self = Self(9_867_600);
    /// The separator of `$split` is no text.
    pub const SPLIT_SEPARATOR_TYPE: Self = Self(10_503_900);
    /// `$replaceOne` looks for a text.
    pub const REPLACE_FIND_TYPE: Self = Self(10_503_901);
    /// The replacement of `$replaceOne` is no text.
    pub const REPLACE_REPLACEMENT_TYPE: Self = Self(10_503_902);
    /// The input of `$replaceOne` is no text.
    pub const REPLACE_INPUT_TYPE: Self = Self(10_503_904);
}
