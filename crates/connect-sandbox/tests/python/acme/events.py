"""A small extension for the original runner: approves purchases that have a domain, asks for it in the others."""

from connect.client import R
from connect.eaas.core.decorators import event, schedulable, variables
from connect.eaas.core.extension import EventsApplicationBase
from connect.eaas.core.responses import BackgroundResponse, InteractiveResponse, ScheduledExecutionResponse


@variables([{'name': 'ACTIVATION_TEMPLATE', 'initial_value': 'TL-000-000-001', 'secure': False}])
class AcmeEvents(EventsApplicationBase):

    @event('asset_purchase_request_processing', statuses=['pending'])
    def handle_purchase(self, request):
        parameters = {parameter['id']: parameter for parameter in request['asset']['params']}
        if not parameters['domain'].get('value'):
            self.client.requests[request['id']].update(payload={'asset': {'params': [
                {'id': 'domain', 'value_error': 'We need your domain.'},
            ]}})
            self.client.requests[request['id']]('inquire').post(payload={})
            return BackgroundResponse.done()
        if not parameters['tenant_id'].get('value'):
            self.client.requests[request['id']].update(payload={'asset': {'params': [
                {'id': 'tenant_id', 'value': 'tenant-of-' + parameters['domain']['value']},
            ]}})
            # It comes back, as from a vendor that takes its time.
            return BackgroundResponse.reschedule(30)
        assert self.client.requests.filter(R().id.eq(request['id'])).count() == 1
        template = self.config['ACTIVATION_TEMPLATE']
        self.client.requests[request['id']]('approve').post(payload={'template_id': template})
        return BackgroundResponse.done()

    @event('asset_purchase_request_validation')
    def validate_purchase(self, request):
        for parameter in request['asset']['params']:
            if parameter['id'] == 'domain' and not parameter.get('value'):
                parameter['value_error'] = 'We need your domain.'
        return InteractiveResponse.done(body=request)

    @event('product_action_execution')
    def open_panel(self, request):
        payload = request['jwt_payload']
        assert request['querystring']['jwt'] and payload['action_id'] == 'sign_in'
        return InteractiveResponse.done(
            http_status=302, headers={'Location': 'https://panel.example/' + payload['asset_id']},
        )

    @event('product_custom_event_processing')
    def handle_event(self, request):
        return InteractiveResponse.done(body={'handled': request['body']['controller']})

    @schedulable('Report', 'Writes a report.')
    def report(self, schedule):
        return ScheduledExecutionResponse.done()
