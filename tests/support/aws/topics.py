"""SNS: moto counts no subscriptions, and forgets the attributes of text messages. Each correction names the page that
it follows.
"""

from moto.sns.models import SNSBackend, Topic

from world import WORLD


def install():
    count_subscriptions()
    keep_texts()


def count_subscriptions():
    """https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html: SubscriptionsConfirmed.

    What moto subscribes is confirmed at once.
    """

    def subscriptions_confimed(self):
        return len(self.sns_backend.list_subscriptions_by_topic(self.arn)[0])

    # The name is moto's own.
    Topic.subscriptions_confimed = property(subscriptions_confimed, lambda self, _: None)


def keep_texts():
    """https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html: what a phone gets, with its attributes."""
    publish = SNSBackend.publish

    def kept(self, message, *others, **named):
        message_id = publish(self, message, *others, **named)
        if named.get("phone_number"):
            attributes = named.get("message_attributes") or {}
            WORLD.texts.append(
                {
                    "id": message_id,
                    "region": self.region_name,
                    "phone": named["phone_number"],
                    "message": message,
                    "attributes": {name: value["Value"] for name, value in attributes.items()},
                }
            )
        return message_id

    SNSBackend.publish = kept
