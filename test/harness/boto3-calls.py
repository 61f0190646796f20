# Makes AWS calls with boto3, as a script of a user would: reads {endpoint, region, credentials, calls} as JSON from standard
# input and writes what each call was answered. "{{name.Member}}" stands for a member of an answer saved before.
import base64
import datetime
import json
import re
import sys

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError

saved = {}
clients = {}


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if hasattr(value, "read"):
        return base64.b64encode(value.read()).decode()
    return str(value)


def member(path):
    value = saved
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def filled(value):
    if isinstance(value, str):
        whole = re.fullmatch(r"\{\{([^{}]+)\}\}", value)
        if whole:
            return member(whole.group(1))
        return re.sub(r"\{\{([^{}]+)\}\}", lambda match: str(member(match.group(1))), value)
    if isinstance(value, dict):
        if set(value) == {"$bytes"}:
            return value["$bytes"].encode()
        return {name: filled(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [filled(entry) for entry in value]
    return value


def client_of(call, script):
    credentials = filled(call.get("credentials") or script["credentials"])
    endpoint = call.get("endpoint", script["endpoint"])
    region = call.get("region", script["region"])
    key = (call["service"], endpoint, region, json.dumps(credentials))
    if key not in clients:
        anonymous = credentials.get("anonymous", False)
        clients[key] = boto3.client(
            call["service"],
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=credentials.get("accessKeyId"),
            aws_secret_access_key=credentials.get("secretAccessKey"),
            aws_session_token=credentials.get("sessionToken"),
            config=Config(
                retries={"total_max_attempts": 1},
                signature_version=botocore.UNSIGNED if anonymous else None,
                s3={"addressing_style": call.get("addressing", "path")},
                read_timeout=call.get("timeout", 60),
            ),
        )
    return clients[key]


def answer_of(call, script):
    try:
        client = client_of(call, script)
        method = getattr(client, botocore.xform_name(call["operation"]))
        answer = json.loads(json.dumps(method(**filled(call.get("parameters", {}))), default=plain))
        if "save" in call:
            saved[call["save"]] = answer
        metadata = answer.pop("ResponseMetadata")
        return {"status": metadata["HTTPStatusCode"], "requestId": metadata.get("RequestId"), "answer": answer}
    except ClientError as error:
        metadata = error.response["ResponseMetadata"]
        said = error.response["Error"]
        return {
            "status": metadata.get("HTTPStatusCode"),
            "requestId": metadata.get("RequestId"),
            "error": said.get("Code"),
            "message": said.get("Message"),
        }
    except Exception as error:
        return {"status": 0, "error": type(error).__name__, "message": str(error)}


script = json.load(sys.stdin)
json.dump([answer_of(call, script) for call in script["calls"]], sys.stdout)
