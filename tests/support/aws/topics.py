"""SNS: moto counts no subscriptions. Each correction names the page that it follows."""

from moto.sns.models import Topic


def install():
    """https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html: SubscriptionsConfirmed.

    What moto subscribes is confirmed at once.
    """

    def subscriptions_confimed(self):
        return len(self.sns_backend.list_subscriptions_by_topic(self.arn)[0])

    # The name is moto's own.
    Topic.subscriptions_confimed = property(subscriptions_confimed, lambda self, _: None)
