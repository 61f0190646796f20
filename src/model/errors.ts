// The one table of errors: every code the API can answer, with its exact text (api.md §3, errors.json).
// A row is `Code` or, where a code has several texts, `Code.variant`; {slots} are typed. Must not: know HTTP.

/** Read by the error reference and its test; everybody else throws `apiError`. */
export const errorTexts = {
  "AccessDeniedException.implicit":
    "User: {callerArn} is not authorized to perform: {action} on resource: {arn} because no identity-based policy allows the {action} action",
  "AccessDeniedException.explicit":
    "User: {callerArn} is not authorized to perform: {action} on resource: {arn} with an explicit deny in an identity-based policy",
  "AccessDeniedException.implicitNoResource":
    "User: {callerArn} is not authorized to perform: {action} because no identity-based policy allows the {action} action",
  "AccessDeniedException.explicitNoResource":
    "User: {callerArn} is not authorized to perform: {action} with an explicit deny in an identity-based policy",
  "AccessDeniedException.organizationTrail":
    "Access Denied: You do not have permission to operate on this resource",
  AccountHasOngoingImportException: "The account {accountId} already has an import in progress: {importId}.",
  AccountNotFoundException: "Account {accountId} was not found in the organization.",
  AccountNotRegisteredException:
    "Account {accountId} is not registered as a delegated administrator for CloudTrail.",
  AccountRegisteredException:
    "Account {accountId} is already registered as a delegated administrator for CloudTrail.",
  CannotDelegateManagementAccountException:
    "The management account cannot be registered as a delegated administrator.",
  ChannelARNInvalidException: "The channel ARN {arn} is not valid.",
  ChannelAlreadyExistsException: "Channel {name} already exists.",
  ChannelExistsForEDSException: "Event data store {arn} is in use by channel {channelArn}.",
  ChannelInsufficientPermission: "The caller is not allowed to put events on channel {arn}.",
  ChannelMaxLimitExceededException: "The maximum number of channels (25) is reached.",
  ChannelNotFound: "The channel {arn} was not found.",
  ChannelNotFoundException: "The channel {arn} was not found.",
  ChannelUnsupportedSchema: "The schema of the event is not supported.",
  "CloudTrailARNInvalidException.invalid": "Invalid Trail ARN: {value}",
  "CloudTrailARNInvalidException.region":
    "Region in ARN is wrong, you can only access resources in region {region}.",
  "CloudTrailARNInvalidException.owners": "You cannot have resources belonging to multiple owners",
  "CloudTrailARNInvalidException.resource": "Invalid resource ARN: {value}",
  CloudTrailAccessNotEnabledException: "CloudTrail trusted access with Organizations is not enabled.",
  CloudTrailInvalidClientTokenIdException: "The security token included in the request is invalid.",
  CloudWatchLogsDeliveryUnavailableException: "CloudWatch Logs delivery is not available in this region.",
  ConcurrentModificationException:
    "Another request is modifying the event data store {arn}. Try again later.",
  ConflictException: "The resource {arn} is being modified by another request. Try again later.",
  DelegatedAdminAccountLimitExceededException:
    "The maximum number of delegated administrators (3) is reached.",
  DuplicatedAuditEventId: "The request has more than one event with the id {id}.",
  EventDataStoreARNInvalidException: "The event data store ARN {arn} is not valid.",
  EventDataStoreAlreadyExistsException: "An event data store with the name {name} already exists.",
  EventDataStoreFederationEnabledException: "Lake query federation is enabled on event data store {arn}.",
  EventDataStoreHasOngoingImportException: "Event data store {arn} has an ongoing import.",
  EventDataStoreMaxLimitExceededException: "The maximum number of event data stores (10) is reached.",
  EventDataStoreNotFoundException: "The event data store {arn} was not found.",
  EventDataStoreTerminationProtectedException: "Termination protection is enabled on event data store {arn}.",
  ExpiredTokenException: "The security token included in the request is expired",
  GenerateResponseException: "A query could not be generated for the given prompt.",
  ImportNotFoundException: "The import {importId} was not found.",
  InactiveEventDataStoreException: "The event data store {arn} is inactive.",
  InactiveQueryException: "The query {queryId} is in a terminal state and cannot be cancelled.",
  IncompleteSignatureException: "{text}",
  InsightNotEnabledException:
    "Trail {name} does not have Insights enabled. Edit the trail settings to enable Insights, and then try the operation again.",
  InsufficientDependencyServiceAccessPermissionException:
    "The caller lacks permissions in a dependent service.",
  InsufficientEncryptionPolicyException:
    "Insufficient permissions to access S3 bucket {bucket} or KMS key {keyArn}.",
  InsufficientIAMAccessPermissionException: "The caller may not create or view the service-linked role.",
  InsufficientS3BucketPolicyException: "Incorrect S3 bucket policy is detected for bucket: {bucket}",
  InsufficientSnsTopicPolicyException: "SNS Topic does not exist or the topic policy is incorrect!",
  InternalFailure: "The request processing has failed because of an unknown error, exception or failure.",
  InvalidChannelARN: "The channel ARN {arn} is not valid.",
  "InvalidCloudWatchLogsLogGroupArnException.missing": "You must specify a log group and a role ARN.",
  "InvalidCloudWatchLogsLogGroupArnException.invalid":
    "CloudTrail cannot validate the specified log group ARN.",
  "InvalidCloudWatchLogsLogGroupArnException.region":
    "You must specify a log group that is in the current region.",
  "InvalidCloudWatchLogsLogGroupArnException.permissions":
    "Access denied. Check the permissions for your role.",
  "InvalidCloudWatchLogsRoleArnException.missing": "You must specify a log group and a role ARN.",
  "InvalidCloudWatchLogsRoleArnException.invalid": "The role ARN {value} is not valid.",
  "InvalidCloudWatchLogsRoleArnException.trust":
    "Access denied. Check the trust relationships for your role.",
  InvalidDateRangeException: "The start time must be before the end time.",
  InvalidEventCategoryException: "{value} is not a valid event category.",
  InvalidEventDataStoreCategoryException:
    "The event category of event data store {arn} does not support this operation.",
  InvalidEventDataStoreStatusException:
    "The event data store {arn} is in status {status}, which does not allow this operation.",
  "InvalidEventSelectorsException.both":
    "You can select events by using either EventSelectors or AdvancedEventSelectors, but not both.",
  "InvalidEventSelectorsException.count": "Specify a valid number of selectors (1 to 5) for your trail",
  "InvalidEventSelectorsException.readWriteType": "Value {value} for ReadWriteType is invalid.",
  "InvalidEventSelectorsException.noData":
    "Invalid combination of parameters in EventSelectors. When includeManagementEvents is false, DataResources must not be empty",
  "InvalidEventSelectorsException.excludeWithoutManagement":
    "Invalid combination of parameters in EventSelectors. When includeManagementEvents is false, ExcludeManagementEventSources must be empty",
  "InvalidEventSelectorsException.resourceType": "Value {value} for DataResources.Type is invalid.",
  "InvalidEventSelectorsException.resourceValue": "Value {value} for DataResources.Values is invalid.",
  "InvalidEventSelectorsException.resourceCount":
    "Specify a valid number of DataResources.Values (0 to {max}) for all your selectors",
  "InvalidEventSelectorsException.exclude": "Value {value} for ExcludeManagementEventSources is invalid.",
  "InvalidEventSelectorsException.required": "The following fields are required: [eventCategory].",
  "InvalidEventSelectorsException.duplicate":
    "A duplicate event selector was found for at least one field. Only one selector is allowed per field.",
  "InvalidEventSelectorsException.operators":
    "Only the following operators are valid with the {field} field: [{operators}].",
  "InvalidEventSelectorsException.value": "The {field} field value is not valid.",
  "InvalidEventSelectorsException.notAllowed":
    "The following field is not allowed when the eventCategory field value equals {category}: {field}.",
  "InvalidEventSelectorsException.requiredFor":
    "The following selectors are required when the eventCategory field value equals {category}: [{field}].",
  "InvalidEventSelectorsException.noOperator": "At least one operator is required for the {field} field.",
  "InvalidEventSelectorsException.tooMany":
    "There are too many filters applied. The maximum allowed number of filters is {max}.",
  "InvalidEventSelectorsException.constraint":
    "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: {constraint}",
  "InvalidEventSelectorsException.missing":
    "1 validation error detected: Value null at '{field}' failed to satisfy constraint: Member must not be null",
  InvalidHomeRegionException: "The trail {arn} can only be changed in its home region {homeRegion}.",
  InvalidImportSourceException: "The import source {uri} is not valid.",
  "InvalidInsightSelectorsException.type": "InsightType {value} is not valid.",
  "InvalidInsightSelectorsException.category": "EventCategories value {value} is not valid.",
  "InvalidInsightSelectorsException.duplicate": "InsightType {value} occurs more than once.",
  "InvalidInsightSelectorsException.duplicateCategory":
    "EventCategories value {value} occurs more than once.",
  "InvalidInsightSelectorsException.needs": "The trail must log {events} events to use {type}.",
  "InvalidInsightSelectorsException.constraint":
    "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: {constraint}",
  "InvalidInsightSelectorsException.missing":
    "1 validation error detected: Value null at '{field}' failed to satisfy constraint: Member must not be null",
  InvalidKmsKeyIdException: "Invalid KMS key ID: {value}.",
  InvalidLookupAttributesException: "{key} is not a valid lookup attribute.",
  "InvalidLookupAttributesException.value": "The lookup attribute at '{field}' is not valid: {constraint}",
  InvalidMaxResultsException: "MaxResults must be between {min} and {max}.",
  InvalidNextTokenException: "The NextToken value is not valid.",
  "InvalidParameterCombinationException.multiRegion":
    "Multi-Region trail must include global service events.",
  "InvalidParameterCombinationException.trailOrStore": "Specify either TrailName or EventDataStore.",
  "InvalidParameterCombinationException.trailOrStoreWithDestination":
    "Specify either TrailName, or both EventDataStore and InsightsDestination.",
  "InvalidParameterException.constraint":
    "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: {constraint}",
  "InvalidParameterException.missing":
    "1 validation error detected: Value null at '{field}' failed to satisfy constraint: Member must not be null",
  "InvalidParameterException.constraints": "{n} validation errors detected: {violations}",
  InvalidQueryStatementException: "The query statement is not valid: {detail}",
  InvalidQueryStatusException: "{value} is not a valid query status.",
  InvalidS3BucketNameException: "{bucket} is not a valid S3 bucket name.",
  "InvalidS3PrefixException.tooLong": "S3 prefix is longer than maximum length: 200",
  "InvalidS3PrefixException.leadingSlash": "S3 prefix must not begin with a slash: {prefix}",
  "InvalidS3PrefixException.characters":
    "S3 prefix {prefix} has characters that cannot be used in an object key.",
  "InvalidSignatureException.mismatch":
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
  "InvalidSignatureException.expired":
    "Signature expired: {requestTime} is now earlier than {limit} ({now} - 5 min.)",
  "InvalidSignatureException.presignedExpired":
    "Signature expired: {requestTime} is now earlier than {limit} ({now} - {expiresSeconds} sec.)",
  "InvalidSignatureException.unsignedHeader":
    "The header '{name}' was present in the request but was not signed.",
  "InvalidSignatureException.notYet":
    "Signature not yet current: {requestTime} is still later than {limit} ({now} + 5 min.)",
  "InvalidSignatureException.region": "Credential should be scoped to a valid region.",
  "InvalidSignatureException.service": "Credential should be scoped to correct service: '{service}'.",
  "InvalidSignatureException.terminator":
    "Credential should be scoped with a valid terminator: 'aws4_request'.",
  "InvalidSignatureException.date":
    "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{scopeDate}' != '{date}', from '{requestTime}'.",
  InvalidSnsTopicNameException: "{topic} is not a valid SNS topic name.",
  InvalidSourceException: "{source} is not a valid source.",
  "InvalidTagParameterException.key": "Tag key {key} is not valid.",
  "InvalidTagParameterException.value": "Tag value {value} is not valid.",
  "InvalidTagParameterException.duplicate": "Tag key {key} occurs more than once.",
  "InvalidTagParameterException.reserved": "Tag key {key} begins with the reserved prefix aws:.",
  "InvalidTagParameterException.constraint":
    "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: {constraint}",
  "InvalidTagParameterException.missing":
    "1 validation error detected: Value null at '{field}' failed to satisfy constraint: Member must not be null",
  "InvalidTagParameterException.constraints": "{n} validation errors detected: {violations}",
  InvalidTimeRangeException: "The start time must be before the end time.",
  InvalidTokenException: "The NextToken value is not valid.",
  "InvalidTrailNameException.blank": "Trail name cannot be blank!",
  "InvalidTrailNameException.tooShort":
    "Trail name too short. Minimum allowed length: 3 characters. Specified name length: {n} characters.",
  "InvalidTrailNameException.tooLong":
    "Trail name too long. Maximum allowed length: 128 characters. Specified name length: {n} characters.",
  "InvalidTrailNameException.start": "Trail name must starts with a letter or number.",
  "InvalidTrailNameException.end": "Trail name must ends with a letter or number.",
  "InvalidTrailNameException.characters":
    "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).",
  "InvalidTrailNameException.adjacent":
    "Trail name or ARN cannot have adjacent periods (.), hyphens (-), or underscores (_).",
  "InvalidTrailNameException.ipAddress": "Trail names must not be formatted as an IP address.",
  KmsException: "KMS key {keyArn} cannot be used: {detail}",
  KmsKeyDisabledException: "KMS key {keyArn} is disabled.",
  KmsKeyNotFoundException:
    "KMS key ID {keyArn} does not exist, or s3 bucket {bucket} and key are not in the same region.",
  MaxConcurrentQueriesException: "The maximum number of concurrent queries (10) is reached.",
  MaximumNumberOfTrailsExceededException: "User: {account} already has {max} trails in {region}.",
  MissingAuthenticationTokenException: "Missing Authentication Token",
  NoManagementAccountSLRExistsException: "The management account has no service-linked role for CloudTrail.",
  NotOrganizationManagementAccountException:
    "The caller {accountId} is not the management account of the organization.",
  NotOrganizationMasterAccountException:
    "The caller {account} is not the management account of the organization.",
  OperationNotPermittedException: "The operation is not permitted.",
  OrganizationNotInAllFeaturesModeException: "All features must be enabled in the organization.",
  OrganizationsNotInUseException: "The account {account} is not a member of an organization.",
  QueryIdNotFoundException: "The query ID {queryId} was not found.",
  RequestEntityTooLargeException: "{text}",
  ResourceARNNotValidException: "The resource ARN {arn} is not valid.",
  ResourceNotFoundException: "The resource with ARN {arn} was not found.",
  ResourcePolicyNotFoundException: "No resource policy is attached to {arn}.",
  ResourcePolicyNotValidException: "The resource policy is not valid: {detail}",
  ResourceTypeNotSupportedException: "The resource type of {arn} is not supported.",
  S3BucketDoesNotExistException: "S3 bucket {bucket} does not exist!",
  "SerializationException.unusable": "",
  "SerializationException.value": "{text}",
  ServiceQuotaExceededException: "The quota for {quota} is exceeded.",
  ServiceUnavailable: "{text}",
  TagsLimitExceededException: "The number of tags exceeds the limit of {max}.",
  ThrottlingException: "Rate exceeded",
  TrailAlreadyExistsException: "Trail {name} already exists for customer: {account}",
  TrailNotFoundException: "Unknown trail: {ref} for the user: {account}",
  TrailNotProvidedException: "A trail name is required.",
  UnknownOperationException: "",
  UnrecognizedClientException: "The security token included in the request is invalid.",
  UnsupportedOperationException: "The operation requested is not supported in the region.",
  "ValidationException.constraint":
    "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: {constraint}",
  "ValidationException.missing":
    "1 validation error detected: Value null at '{field}' failed to satisfy constraint: Member must not be null",
  "ValidationException.constraints": "{n} validation errors detected: {violations}",
} as const satisfies Readonly<Record<string, string>>;

export type ErrorKey = keyof typeof errorTexts;
type SlotNames<Text extends string> = Text extends `${string}{${infer Slot}}${infer Rest}`
  ? Slot | SlotNames<Rest>
  : never;
type Slots<Key extends ErrorKey> = SlotNames<(typeof errorTexts)[Key]>;
type SlotArgument<Key extends ErrorKey> = [Slots<Key>] extends [never]
  ? []
  : [slots: { readonly [Slot in Slots<Key>]: string | number }];

/** Every error code, without variants. */
export const errorCodes: readonly string[] = [
  ...new Set(Object.keys(errorTexts).map((key) => key.replace(/\..*/, ""))),
];

/** A failure the client is told about: code and text as on the wire. */
export class ApiError extends Error {
  readonly code: string;
  constructor(code: string, text: string) {
    super(text);
    this.name = "ApiError";
    this.code = code;
  }
}

/**
 * Builds the error for a row of the table. A wrong key or a missing slot does not compile.
 * `throw apiError("TrailNotFoundException", { ref, account })`
 */
export function apiError<Key extends ErrorKey>(key: Key, ...slots: SlotArgument<Key>): ApiError {
  const values: Readonly<Record<string, string | number>> = slots[0] ?? {};
  const text = errorTexts[key].replace(/\{(\w+)\}/g, (_whole, slot: string) => String(values[slot] ?? ""));
  return new ApiError(key.replace(/\..*/, ""), text);
}
