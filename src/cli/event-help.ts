// The help texts of the commands that show, await and explain events.

const whichEvents = `Which events (all that is given must hold; values are exact):
  --event-name NAME         PutObject
  --event-source SOURCE     s3.amazonaws.com
  --username NAME           a user, the session name of a role, or root
  --access-key-id ID        the key that signed the call
  --resource-name NAME      a name or ARN among the event's resources: my-bucket, my-bucket/report.pdf
  --resource-type TYPE      AWS::S3::Bucket
  --read-only true|false    reads or writes
  --error-code CODE         AccessDenied
  --event-id ID             one event
  --trail NAME|ARN          what this trail logs, as it was decided when the event arrived
  --aws-region REGION       of this Region; without it all of them are shown
  --account-id ID           of this account; with authentication off the server shows all accounts, else the caller's own`;

const server = `  --endpoint-url URL        the server (AWS_ENDPOINT_URL_CLOUDTRAIL, AWS_ENDPOINT_URL; default http://127.0.0.1:4577)
  --region REGION           of the signature, and of a trail's name (AWS_REGION, AWS_DEFAULT_REGION, us-east-1)`;

export const tailHelp = `Usage: cairn tail [flags]

Shows events as they become durable, a line each: time, what, who, from where, on which resource, and the error. Data events
too, whatever trails log. Ctrl-C ends it. When the server restarts it goes on where it was.

${whichEvents}

How:
  --since TIME              begin so long ago (5m) or at a time (2026-01-10T08:00:00Z), as far as the journal still goes back
  --from-start              begin at the oldest event that the journal still has
  --follow false            end at the newest event instead of waiting for more
  --limit N                 end after so many events
  --json                    the records themselves, one per line
  --color WHEN              auto (default: on a terminal, unless NO_COLOR is set), always or never
${server}

With authentication on the caller needs cairn:TailEvents. Exit code 0 at the end, 1 when the server fails, 2 when a flag is
wrong or no server answers.`;

export const waitForHelp = `Usage: cairn wait-for --event-name NAME [flags]

Waits until such an event is there, and prints it. It may have come a moment before: --since says how far to look back.

  aws s3 cp report.pdf s3://my-bucket/
  cairn wait-for --event-name PutObject --resource-name my-bucket/report.pdf --timeout 10s

${whichEvents}

How:
  --timeout DURATION        how long to wait (default 30s)
  --since TIME              look back so long (default 1m; 0s: only what comes from now on) or to a time
  --count N                 so many such events (default 1)
  --json                    the record itself, on one line
${server}

Exit code 0 when they are there; 1 when the time is over, with a line about what was seen instead; 2 when a flag is wrong or no
server answers.`;

export const explainHelp = `Usage: cairn explain --trail NAME|ARN (--event FILE | --event-id ID) [flags]

Tells whether a trail logs an event: its logging state, its scope (account, Region, global services), and for each selector and
each field what is demanded and what the event has; and what would have to be otherwise.

  --trail NAME|ARN          the trail
  --event FILE              events in a file (- is standard input): a record, a log file, one record per line, or what
                            aws cloudtrail lookup-events prints
  --event-id ID             an event that the server has: in its journal, where it still knows what was decided when the event
                            arrived, or in the event history
  --json                    the server's answer as JSON
  --color WHEN              auto (default), always or never
  --account-id ID           with authentication off: the account that asks
${server}

With authentication on the caller needs cloudtrail:GetTrail and cloudtrail:GetEventSelectors on the trail; for --event-id also
cairn:TailEvents or cloudtrail:LookupEvents. Exit code 0 when the trail logs all of them, 1 when it does not, 2 when a flag is
wrong, an event cannot be read or is not found, or no server answers.`;
