# Uses S3 with boto3 as scripts do: managed uploads, downloads and copies of large objects, and presigned URLs.
# Reads {endpoint, accessKeyId, secretAccessKey, bucket, do, …} as JSON from standard input and prints what came of it.
import hashlib
import io
import json
import sys

import boto3
from botocore.config import Config

asked = json.load(sys.stdin)


def client(version="s3v4", style="path"):
    return boto3.client(
        "s3",
        endpoint_url=asked["endpoint"],
        region_name=asked.get("region", "us-east-1"),
        aws_access_key_id=asked["accessKeyId"],
        aws_secret_access_key=asked["secretAccessKey"],
        aws_session_token=asked.get("sessionToken"),
        config=Config(signature_version=version, s3={"addressing_style": style}, retries={"max_attempts": 1}),
    )


def transfers():
    s3, bucket = client(), asked["bucket"]
    content = bytes(i % 251 for i in range(1000)) * asked["thousands"]
    extra = {"Metadata": {"made-by": "boto3"}, "ContentType": "text/x", "Tagging": "a=1&b=2"}
    s3.upload_fileobj(io.BytesIO(content), bucket, "dir/large", ExtraArgs=extra)
    s3.copy({"Bucket": bucket, "Key": "dir/large"}, bucket, "dir/copied")
    got = io.BytesIO()
    s3.download_fileobj(bucket, "dir/copied", got)
    head = s3.head_object(Bucket=bucket, Key="dir/large", ChecksumMode="ENABLED")
    tags = s3.get_object_tagging(Bucket=bucket, Key="dir/large")["TagSet"]
    return {
        "same": hashlib.sha256(got.getvalue()).digest() == hashlib.sha256(content).digest(),
        "head": {name: head.get(name) for name in ("ContentLength", "ContentType", "Metadata", "ChecksumType", "TagCount")},
        "tags": {tag["Key"]: tag["Value"] for tag in tags},
        "keys": [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]],
    }


def presigned():
    s3 = client(asked["version"], asked.get("style", "path"))
    return [s3.generate_presigned_url(name, Params=params, ExpiresIn=seconds) for name, params, seconds in asked["urls"]]


print(json.dumps({"transfers": transfers, "presigned": presigned}[asked["do"]]()))
