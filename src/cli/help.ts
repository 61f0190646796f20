// The help texts of the command line.
import { flagOf, type Setting, variableOf } from "../config-setting.ts";
import { settingList } from "../config-settings.ts";

export const generalHelp = `Cairn: an open CloudTrail that anyone can run.

Usage: cairn <command> [flags]

  cairn init           write a first configuration with an administrator's access key
  cairn serve          run the server
  cairn status         show what every trail delivered, what waits, since when and why
  cairn tail           show events as they come
  cairn wait-for       wait until such an event is there: for test suites
  cairn explain        tell whether a trail logs an event, and why
  cairn bucket-policy  print the policy that lets a trail deliver, to attach to its bucket
  cairn verify         check log files against their signed digests, in a bucket or a copy of it
  cairn public-keys    export the public keys of the digests, to verify without the server
  cairn version        print the version
  cairn help           print this; cairn <command> --help tells more`;

export const initHelp = `Usage: cairn init [--config PATH] [--account-id ID] [--user NAME]

Writes a first configuration that only you can read, with one account and an administrator in it, and shows the
administrator's access key once. Never overwrites a file.

  --config PATH       where to write it (CAIRN_CONFIG; default cairn.yaml)
  --account-id ID     12 digits (CAIRN_ACCOUNT_ID; default 123456789012)
  --user NAME         the administrator's name (default admin)`;

export const statusHelp = `Usage: cairn status [--endpoint-url URL] [--token TOKEN] [--trail NAME|ARN] [--json]

Asks a running server what every trail delivered, what waits, since when and why, and what was given up.

  --endpoint-url URL   the server (AWS_ENDPOINT_URL_CLOUDTRAIL, AWS_ENDPOINT_URL; default http://127.0.0.1:4577)
  --token TOKEN        the server's metricsToken (CAIRN_METRICS_TOKEN); without one the server answers its own
                       machine only
  --trail NAME|ARN     this trail alone
  --json               the server's answer as JSON

Exit code 0 when all is well; 1 when a destination fails, something waits for more than 15 minutes, something was given
up within a day, or the server is not ready; 2 when a flag is wrong or no server tells.`;

export const bucketPolicyHelp = `Usage: cairn bucket-policy --trail NAME|ARN [flags]

Prints the policy that lets a trail deliver, as JSON. Asks the server for the trail's settings, with the AWS credentials
of the environment, and changes nothing. With --bucket (for the other kinds --topic or --log-group) no server is asked.

  aws s3api put-bucket-policy --bucket B --policy "$(cairn bucket-policy --trail my-trail)"

  --trail NAME|ARN         the trail
  --kind KIND              bucket (default): the policy of the bucket
                           topic: the policy of the SNS topic
                           key: the statements to add to the policy of the KMS key
                           role: the permissions of the role that writes to the log group
                           role-trust: who may assume that role (needs no trail)
  --endpoint-url URL       the server (AWS_ENDPOINT_URL_CLOUDTRAIL, AWS_ENDPOINT_URL; default http://127.0.0.1:4577)
  --region REGION          the trail's home Region (default the ARN's, AWS_REGION, AWS_DEFAULT_REGION, us-east-1)
  --account-id ID          the account of a trail that is given by its name
  --organization-id ID     o-…; organization trails need it
  --bucket NAME            the bucket, whatever the trail has
  --prefix PREFIX          the key prefix, whatever the trail has
  --topic ARN              the topic, whatever the trail has
  --log-group ARN          the log group, whatever the trail has
  --multi-region           with --log-group: the trail logs all Regions

Exit code 0 when the policy was printed, 1 when the server did not tell, 2 when a flag is wrong.`;

export const verifyHelp = `Usage: cairn verify --bucket NAME | --directory DIR [flags]

Checks log files against their digest files, and the digest files against their signatures and each other: which files are
valid, changed, missing or in no digest. Without --trail-arn it checks every trail that wrote to the bucket.

  --bucket NAME                   the bucket; with --directory, the one that DIR is a copy of
  --directory DIR                 a copy of a bucket with keys as paths, or a bucket in Cairn's data directory. In a plain
                                  copy the newest digest file of a chain has no signature and is not fully verifiable
  --prefix PREFIX                 the trail's S3KeyPrefix; without it every AWSLogs folder is looked for
  --endpoint-url URL              the S3 server (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL; default AWS)
  --cloudtrail-endpoint-url URL   the server that tells the public keys (AWS_ENDPOINT_URL_CLOUDTRAIL, AWS_ENDPOINT_URL;
                                  default the S3 server)
  --public-keys FILE              the public keys, from cairn public-keys or aws cloudtrail list-public-keys: no server is
                                  asked
  --trail-arn ARN                 this trail alone
  --account-id ID                 this account alone
  --region REGION                 events of this Region alone
  --start-time TIME               from this time on, such as 2026-01-10 or 2026-01-10T08:00:00Z
  --end-time TIME                 up to this time
  --concurrency N                 files read at once (1 to 256, default 8)
  --json                          one JSON object per file and line, then a summary
  --verbose                       print valid files too
  --strict                        what cannot be fully verified is a failure, too

Exit code 0 when all is valid; 1 when something is changed, missing or in no digest, when there is no digest file, or when
something could not be read; 2 when a flag is wrong.`;

export const publicKeysHelp = `Usage: cairn public-keys [--endpoint-url URL] [--region REGION,…|all] [--output FILE]

Exports the public keys that digest files are verified with, so that evidence outlives the server. Keep the file in a safe
place: cairn verify --public-keys trusts it. Never overwrites a file.

  --endpoint-url URL    the server (AWS_ENDPOINT_URL_CLOUDTRAIL, AWS_ENDPOINT_URL; default http://127.0.0.1:4577)
  --region REGION,…     the Regions of the events; all: every public Region (AWS_REGION, AWS_DEFAULT_REGION; default
                        us-east-1)
  --output FILE         where to write them; default standard output`;

/** The help of `cairn serve`, with every setting. */
export function serveHelp(): string {
  return [
    "Usage: cairn serve [flags]",
    "",
    "Runs the server until SIGTERM or SIGINT. SIGHUP reads the configuration again. Every setting is a flag, an",
    "environment variable (in brackets), and a key of the YAML file that --config names.",
    "",
    ...settingList.map(settingHelp),
    "",
    "The server prints one line on standard output when it is ready; its log goes to standard error.",
  ].join("\n");
}

function settingHelp(setting: Setting): string {
  const { kind, fallback, about } = setting;
  const flag = kind.isSwitch ? `--${flagOf(setting)}` : `--${flagOf(setting)} VALUE`;
  const value = fallback === undefined || fallback === "" ? kind.form : `${kind.form}; default ${fallback}`;
  return `  ${flag} (${variableOf(setting)})\n      ${about}\n      ${value}`.replaceAll("`", "");
}
