"""One script with every modelled operation, run through boto3 and through the AWS CLI. Both must get the same answers."""

import json
import re

import pytest
from conftest import ACCOUNT, DELEGATE, REGION
from ses.operations.registry import OPERATIONS

DOMAIN, ADDRESS = "shop.example", "sender@mail.example"
ARN = f"arn:aws:ses:{REGION}:{ACCOUNT}"
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{DELEGATE}:root"},
                "Action": "ses:SendEmail",
                "Resource": f"{ARN}:identity/{DOMAIN}",
            }
        ],
    }
)
V1_SNS = {"Name": "first", "Enabled": True, "MatchingEventTypes": ["send", "renderingFailure"]}
TEMPLATE = {"TemplateName": "one", "SubjectPart": "Hello {{name}}", "TextPart": "Dear {{name}}"}
V2_TEMPLATE = {"Subject": "Hello {{name}}", "Text": "Dear {{name}}", "Html": "<p>{{name}}</p>"}
DATA = json.dumps({"name": "Jane"})
STOP = [{"StopAction": {"Scope": "RuleSet"}}]
TO = {"Destination": {"ToAddresses": ["success@simulator.amazonses.com"]}}
BODY = {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Dear Jane"}}}
SENDER = f"news@{DOMAIN}"
RAW = f"From: {SENDER}\nTo: success@simulator.amazonses.com\nSubject: Hello\n\nDear Jane\n"


def v1_script(topic: str):
    return [
        ("VerifyDomainIdentity", {"Domain": DOMAIN}),
        ("VerifyDomainDkim", {"Domain": DOMAIN}),
        ("VerifyEmailIdentity", {"EmailAddress": ADDRESS}),
        ("VerifyEmailAddress", {"EmailAddress": "old@mail.example"}),
        ("ListVerifiedEmailAddresses", {}),
        ("DeleteVerifiedEmailAddress", {"EmailAddress": "old@mail.example"}),
        ("ListIdentities", {"IdentityType": "Domain"}),
        ("GetIdentityVerificationAttributes", {"Identities": [DOMAIN, ADDRESS, "unknown.example"]}),
        ("SetIdentityDkimEnabled", {"Identity": DOMAIN, "DkimEnabled": True}),
        ("GetIdentityDkimAttributes", {"Identities": [DOMAIN]}),
        ("SetIdentityMailFromDomain", {"Identity": DOMAIN, "MailFromDomain": f"bounces.{DOMAIN}"}),
        ("GetIdentityMailFromDomainAttributes", {"Identities": [DOMAIN]}),
        ("SetIdentityNotificationTopic", {"Identity": DOMAIN, "NotificationType": "Bounce", "SnsTopic": topic}),
        ("SetIdentityHeadersInNotificationsEnabled", {"Identity": DOMAIN, "NotificationType": "Bounce", "Enabled": True}),
        ("SetIdentityFeedbackForwardingEnabled", {"Identity": DOMAIN, "ForwardingEnabled": True}),
        ("GetIdentityNotificationAttributes", {"Identities": [DOMAIN]}),
        ("PutIdentityPolicy", {"Identity": DOMAIN, "PolicyName": "delegate", "Policy": POLICY}),
        ("ListIdentityPolicies", {"Identity": DOMAIN}),
        ("GetIdentityPolicies", {"Identity": DOMAIN, "PolicyNames": ["delegate", "other"]}),
        ("DeleteIdentityPolicy", {"Identity": DOMAIN, "PolicyName": "delegate"}),
        ("CreateConfigurationSet", {"ConfigurationSet": {"Name": "campaigns"}}),
        ("ListConfigurationSets", {}),
        ("CreateConfigurationSetEventDestination", {"ConfigurationSetName": "campaigns", "EventDestination": V1_SNS | {"SNSDestination": {"TopicARN": topic}}}),
        ("UpdateConfigurationSetEventDestination", {"ConfigurationSetName": "campaigns", "EventDestination": V1_SNS | {"SNSDestination": {"TopicARN": topic}}}),
        ("CreateConfigurationSetTrackingOptions", {"ConfigurationSetName": "campaigns", "TrackingOptions": {"CustomRedirectDomain": DOMAIN}}),
        ("UpdateConfigurationSetTrackingOptions", {"ConfigurationSetName": "campaigns", "TrackingOptions": {"CustomRedirectDomain": DOMAIN}}),
        ("PutConfigurationSetDeliveryOptions", {"ConfigurationSetName": "campaigns", "DeliveryOptions": {"TlsPolicy": "Require"}}),
        ("UpdateConfigurationSetReputationMetricsEnabled", {"ConfigurationSetName": "campaigns", "Enabled": True}),
        ("UpdateConfigurationSetSendingEnabled", {"ConfigurationSetName": "campaigns", "Enabled": True}),
        (
            "DescribeConfigurationSet",
            {
                "ConfigurationSetName": "campaigns",
                "ConfigurationSetAttributeNames": ["eventDestinations", "trackingOptions", "deliveryOptions", "reputationOptions"],
            },
        ),
        ("DeleteConfigurationSetTrackingOptions", {"ConfigurationSetName": "campaigns"}),
        ("DeleteConfigurationSetEventDestination", {"ConfigurationSetName": "campaigns", "EventDestinationName": "first"}),
        ("CreateTemplate", {"Template": TEMPLATE}),
        ("UpdateTemplate", {"Template": TEMPLATE}),
        ("GetTemplate", {"TemplateName": "one"}),
        ("ListTemplates", {"MaxItems": 10}),
        ("TestRenderTemplate", {"TemplateName": "one", "TemplateData": DATA}),
        ("SendEmail", TO | {"Source": SENDER, "Message": BODY, "ConfigurationSetName": "campaigns"}),
        ("SendRawEmail", {"RawMessage": {"Data": RAW}}),
        ("SendTemplatedEmail", TO | {"Source": SENDER, "Template": "one", "TemplateData": DATA}),
        ("SendBulkTemplatedEmail", {"Source": SENDER, "Template": "one", "DefaultTemplateData": DATA, "Destinations": [TO]}),
        ("DeleteTemplate", {"TemplateName": "one"}),
        ("GetSendStatistics", {}),
        ("GetSendQuota", {}),
        ("UpdateAccountSendingEnabled", {"Enabled": True}),
        ("GetAccountSendingEnabled", {}),
        ("CreateReceiptFilter", {"Filter": {"Name": "bad", "IpFilter": {"Policy": "Block", "Cidr": "192.0.2.0/24"}}}),
        ("ListReceiptFilters", {}),
        ("DeleteReceiptFilter", {"FilterName": "bad"}),
        ("CreateReceiptRuleSet", {"RuleSetName": "rules"}),
        ("CreateReceiptRule", {"RuleSetName": "rules", "Rule": {"Name": "first", "Enabled": True, "Actions": STOP}}),
        ("CreateReceiptRule", {"RuleSetName": "rules", "Rule": {"Name": "second", "Actions": STOP}, "After": "first"}),
        ("UpdateReceiptRule", {"RuleSetName": "rules", "Rule": {"Name": "second", "Recipients": [DOMAIN], "Actions": STOP}}),
        ("DescribeReceiptRule", {"RuleSetName": "rules", "RuleName": "second"}),
        ("SetReceiptRulePosition", {"RuleSetName": "rules", "RuleName": "second"}),
        ("ReorderReceiptRuleSet", {"RuleSetName": "rules", "RuleNames": ["first", "second"]}),
        ("DescribeReceiptRuleSet", {"RuleSetName": "rules"}),
        ("SetActiveReceiptRuleSet", {"RuleSetName": "rules"}),
        ("DescribeActiveReceiptRuleSet", {}),
        ("CloneReceiptRuleSet", {"RuleSetName": "copy", "OriginalRuleSetName": "rules"}),
        ("ListReceiptRuleSets", {}),
        ("DeleteReceiptRule", {"RuleSetName": "copy", "RuleName": "first"}),
        ("DeleteReceiptRuleSet", {"RuleSetName": "copy"}),
        ("SendBounce", {"OriginalMessageId": "RECEIVED", "BounceSender": SENDER, "BouncedRecipientInfoList": [{"Recipient": "a@b.example", "BounceType": "DoesNotExist"}]}),
        ("DeleteConfigurationSet", {"ConfigurationSetName": "campaigns"}),
        ("DeleteIdentity", {"Identity": DOMAIN}),
    ]  # fmt: skip


def v2_script(topic: str, s3_url: str):
    configuration_set, identity, tenant = (
        {"ConfigurationSetName": "news"},
        {"EmailIdentity": DOMAIN},
        {"TenantName": "acme"},
    )
    destination = {
        "Enabled": True,
        "MatchingEventTypes": ["SEND", "DELIVERY_DELAY"],
        "SnsDestination": {"TopicArn": topic},
    }
    named = configuration_set | {"EventDestinationName": "first"}
    resource = {"ResourceArn": f"{ARN}:identity/{DOMAIN}"}
    entity = {"ReputationEntityType": "RESOURCE", "ReputationEntityReference": "TENANT_ARN"}
    listed = {"SuppressionListDestination": {"SuppressionListImportAction": "PUT"}}
    return [
        ("CreateConfigurationSet", configuration_set | {"Tags": [{"Key": "team", "Value": "mail"}]}),
        ("ListConfigurationSets", {}),
        ("PutConfigurationSetSendingOptions", configuration_set | {"SendingEnabled": True}),
        ("PutConfigurationSetSuppressionOptions", configuration_set | {"SuppressedReasons": ["BOUNCE"]}),
        ("PutConfigurationSetDeliveryOptions", configuration_set | {"TlsPolicy": "REQUIRE", "MaxDeliverySeconds": 3600}),
        ("PutConfigurationSetReputationOptions", configuration_set | {"ReputationMetricsEnabled": True}),
        ("PutConfigurationSetTrackingOptions", configuration_set | {"CustomRedirectDomain": DOMAIN}),
        ("PutConfigurationSetVdmOptions", configuration_set | {"VdmOptions": {"DashboardOptions": {"EngagementMetrics": "ENABLED"}}}),
        ("PutConfigurationSetArchivingOptions", configuration_set),
        ("GetConfigurationSet", configuration_set),
        ("CreateConfigurationSetEventDestination", named | {"EventDestination": destination}),
        ("UpdateConfigurationSetEventDestination", named | {"EventDestination": destination}),
        ("GetConfigurationSetEventDestinations", configuration_set),
        ("CreateEmailIdentity", identity),
        ("PutEmailIdentityConfigurationSetAttributes", identity | configuration_set),
        ("PutEmailIdentityDkimAttributes", identity | {"SigningEnabled": True}),
        ("PutEmailIdentityDkimSigningAttributes", identity | {"SigningAttributesOrigin": "AWS_SES", "SigningAttributes": {"NextSigningKeyLength": "RSA_1024_BIT"}}),
        ("PutEmailIdentityFeedbackAttributes", identity | {"EmailForwardingEnabled": True}),
        ("PutEmailIdentityMailFromAttributes", identity | {"MailFromDomain": f"bounces.{DOMAIN}"}),
        ("CreateEmailIdentityPolicy", identity | {"PolicyName": "delegate", "Policy": POLICY}),
        ("UpdateEmailIdentityPolicy", identity | {"PolicyName": "delegate", "Policy": POLICY}),
        ("GetEmailIdentityPolicies", identity),
        ("GetEmailIdentity", identity),
        ("ListEmailIdentities", {"PageSize": 10}),
        ("DeleteEmailIdentityPolicy", identity | {"PolicyName": "delegate"}),
        ("TagResource", resource | {"Tags": [{"Key": "team", "Value": "mail"}]}),
        ("ListTagsForResource", resource),
        ("UntagResource", resource | {"TagKeys": ["team", "other"]}),
        ("PutSuppressedDestination", {"EmailAddress": "gone+a@b.example", "Reason": "BOUNCE"}),
        ("GetSuppressedDestination", {"EmailAddress": "gone+a@b.example"}),
        ("ListSuppressedDestinations", {"Reasons": ["BOUNCE", "COMPLAINT"]}),
        ("DeleteSuppressedDestination", {"EmailAddress": "gone+a@b.example"}),
        ("PutAccountSuppressionAttributes", {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]}),
        ("CreateImportJob", {"ImportDestination": listed, "ImportDataSource": {"S3Url": s3_url, "DataFormat": "CSV"}}),
        ("GetImportJob", {"JobId": "JOB_ID"}),
        ("ListImportJobs", {"ImportDestinationType": "SUPPRESSION_LIST"}),
        ("CreateTenant", tenant | {"SuppressionAttributes": {"SuppressedReasons": ["BOUNCE"], "SuppressionScope": "TENANT"}}),
        ("GetTenant", tenant),
        ("ListTenants", {}),
        ("CreateTenantResourceAssociation", tenant | resource),
        ("ListTenantResources", tenant | {"Filter": {"RESOURCE_TYPE": "EMAIL_IDENTITY"}}),
        ("ListResourceTenants", resource),
        ("DeleteTenantResourceAssociation", tenant | resource),
        ("PutTenantSuppressionAttributes", tenant | {"SuppressedReasons": ["COMPLAINT"]}),
        ("GetReputationEntity", entity),
        ("ListReputationEntities", {"Filter": {"SENDING_STATUS": "ENABLED"}}),
        ("UpdateReputationEntityPolicy", entity | {"ReputationEntityPolicy": f"arn:aws:ses:{REGION}:aws:reputation-policy/strict"}),
        ("UpdateReputationEntityCustomerManagedStatus", entity | {"SendingStatus": "DISABLED"}),
        ("DeleteTenant", tenant),
        ("ListRecommendations", {"Filter": {"STATUS": "OPEN"}}),
        ("GetAccount", {}),
        ("PutAccountSendingAttributes", {"SendingEnabled": True}),
        ("PutAccountDetails", {"MailType": "TRANSACTIONAL", "WebsiteURL": "https://shop.example", "ProductionAccessEnabled": True}),
        ("PutAccountVdmAttributes", {"VdmAttributes": {"VdmEnabled": "ENABLED"}}),
        ("PutAccountDedicatedIpWarmupAttributes", {"AutoWarmupEnabled": True}),
        ("CreateEmailTemplate", {"TemplateName": "two", "TemplateContent": V2_TEMPLATE}),
        ("UpdateEmailTemplate", {"TemplateName": "two", "TemplateContent": V2_TEMPLATE}),
        ("GetEmailTemplate", {"TemplateName": "two"}),
        ("ListEmailTemplates", {}),
        ("TestRenderEmailTemplate", {"TemplateName": "two", "TemplateData": DATA}),
        ("SendEmail", TO | {"FromEmailAddress": SENDER, "Content": {"Simple": BODY}}),
        (
            "SendBulkEmail",
            {
                "FromEmailAddress": SENDER,
                "DefaultContent": {"Template": {"TemplateName": "two", "TemplateData": DATA}},
                "BulkEmailEntries": [TO],
            },
        ),
        ("DeleteEmailTemplate", {"TemplateName": "two"}),
        ("DeleteConfigurationSetEventDestination", named),
        ("DeleteEmailIdentity", identity),
        ("DeleteConfigurationSet", configuration_set),
    ]  # fmt: skip


def snake(name: str, separator: str) -> str:
    return re.sub("(?<=[a-z0-9])(?=[A-Z])", separator, name).lower()


def through_boto3(world, service: str, name: str, parameters: dict) -> dict:
    answer = getattr(world.ses(service), snake(name, "_"))(**parameters)
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


# Old operations that the AWS CLI leaves out.
NOT_IN_THE_CLI = {"VerifyEmailAddress", "ListVerifiedEmailAddresses", "DeleteVerifiedEmailAddress"}


def through_the_cli(world, service: str, name: str, parameters: dict) -> dict:
    if name in NOT_IN_THE_CLI:
        return through_boto3(world, service, name, parameters)
    return world.cli(service, snake(name, "-"), "--cli-input-json", json.dumps(parameters))


def run(world, driver) -> list:
    """Every operation in turn; ids that an answer gave stand in later requests under a name in capitals."""
    topic = world.topic()
    s3 = world.aws("s3")
    s3.create_bucket(Bucket="import-jobs")
    s3.put_object(Bucket="import-jobs", Key="list.csv", Body=b"emailAddress,reason\na@b.example,BOUNCE\n")
    answers, names = [], {}
    scripts = [("ses", v1_script(topic.arn)), ("sesv2", v2_script(topic.arn, "s3://import-jobs/list.csv"))]
    for service, script in scripts:
        for name, parameters in script:
            if name == "SendBounce":
                body = {
                    "raw": "U3ViamVjdDogaGkKCmhpCg==",
                    "recipients": ["a@b.example"],
                    "sender": "jane@client.example",
                }
                names["RECEIVED"] = world.control("POST", "/inbound", body)["messageId"]
            text = json.dumps(parameters)
            for known, value in names.items():
                text = text.replace(f'"{known}"', json.dumps(value))
            answer = driver(world, service, name, json.loads(text))
            names |= {
                known: answer[member]
                for known, member in (("TENANT_ARN", "TenantArn"), ("JOB_ID", "JobId"))
                if member in answer
            }
            answers.append((service, name, answer))
    return answers


def shape(value):
    """An answer without what differs from call to call."""
    if isinstance(value, dict):
        kept = {
            name: shape(item)
            for name, item in value.items()
            if not re.search("Timestamp|Time$|Id$|Date$|JobStatus|RecordsCount", name)
        }
        return {name: item for name, item in kept.items() if item not in (None, [], {})}
    if isinstance(value, list):
        return [shape(item) for item in value]
    text = str(value) if not isinstance(value, (bool, int, float)) else value
    return (
        re.sub(r"topic-[0-9a-f]{12}|tn-[0-9a-f]{30}|boundary=.*|--=+\d+==-*|<[^<>]+@email.amazonses.com>", "ID", text)
        if isinstance(text, str)
        else text
    )


@pytest.fixture(scope="module")
def scripts_name():
    return [("ses", name) for name, _ in v1_script("")] + [("sesv2", name) for name, _ in v2_script("", "")]


def test_the_script_has_every_operation(scripts_name):
    assert set(scripts_name) == set(OPERATIONS)


def test_boto3_and_the_aws_cli_get_the_same_answers(world):
    first = run(world, through_boto3)
    world.control("POST", "/reset")
    second = run(world, through_the_cli)
    for (service, name, one), (_, _, other) in zip(first, second, strict=True):
        assert shape(one) == shape(json.loads(json.dumps(other, default=str))), f"{service} {name}"
