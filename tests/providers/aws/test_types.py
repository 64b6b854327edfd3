"""Everything that a blue-green service on AWS is made of, once through its life."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# moto says things about them that nobody has told it.
MADE_UP = {"cpu", "drain"}

EVERYTHING = """
    import base64

    size = config.get_int("size") or 1
    trust = {
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "ec2.amazonaws.com"},
        }],
    }
    reading = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["ssm:GetParameter"], "Resource": "*"}],
    }
    anywhere = ["0.0.0.0/0"]

    network = aws.ec2.Vpc("net", cidr_block="10.1.0.0/16", tags={"Name": "net"})
    subnets = [
        aws.ec2.Subnet(
            f"net-{zone}",
            vpc_id=network.id,
            cidr_block=f"10.1.{number}.0/24",
            availability_zone=f"us-east-1{zone}",
        )
        for number, zone in enumerate("ab")
    ]
    web = aws.ec2.SecurityGroup(
        "web",
        vpc_id=network.id,
        ingress=[{"protocol": "tcp", "from_port": 80, "to_port": 80, "cidr_blocks": anywhere}],
        egress=[{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": anywhere}],
    )
    instances = aws.ec2.SecurityGroup("instances", vpc_id=network.id)
    aws.vpc.SecurityGroupIngressRule(
        "from-web",
        security_group_id=instances.id,
        referenced_security_group_id=web.id,
        ip_protocol="tcp",
        from_port=8080,
        to_port=8080,
    )
    aws.vpc.SecurityGroupEgressRule(
        "out", security_group_id=instances.id, ip_protocol="-1", cidr_ipv4="0.0.0.0/0"
    )
    role = aws.iam.Role("web", assume_role_policy=json.dumps(trust))
    aws.iam.RolePolicy("web", role=role.id, policy=json.dumps(reading))
    profile = aws.iam.InstanceProfile("web", role=role.name)
    template = aws.ec2.LaunchTemplate(
        "web",
        image_id="ami-12c6146b",
        instance_type="t3.micro",
        update_default_version=True,
        user_data=base64.b64encode(f"echo {size}".encode()).decode(),
        vpc_security_group_ids=[instances.id],
        iam_instance_profile={"arn": profile.arn},
        metadata_options={"http_tokens": "required", "http_endpoint": "enabled"},
        tag_specifications=[{"resource_type": "instance", "tags": {"color": "blue"}}],
    )
    group = target_group("blue", vpc_id=network.id)
    fleet = aws.autoscaling.Group(
        "blue",
        min_size=1,
        max_size=4 + size,
        vpc_zone_identifiers=[subnet.id for subnet in subnets],
        target_group_arns=[group.arn],
        launch_template={
            "id": template.id,
            "version": template.latest_version.apply(lambda version: str(version)),
        },
        wait_for_capacity_timeout="0",
        force_delete=True,
        tags=[{"key": "color", "value": "blue", "propagate_at_launch": True}],
    )
    aws.autoscaling.Attachment(
        "blue", autoscaling_group_name=fleet.name, lb_target_group_arn=group.arn
    )
    aws.autoscaling.Policy(
        "cpu",
        autoscaling_group_name=fleet.name,
        policy_type="TargetTrackingScaling",
        target_tracking_configuration={
            "predefined_metric_specification": {
                "predefined_metric_type": "ASGAverageCPUUtilization"
            },
            "target_value": 60.0,
        },
    )
    aws.autoscaling.LifecycleHook(
        "drain",
        autoscaling_group_name=fleet.name,
        lifecycle_transition="autoscaling:EC2_INSTANCE_TERMINATING",
        heartbeat_timeout=60,
    )
    certificates = [
        aws.acm.Certificate(
            name,
            private_key=config.require_secret("key"),
            certificate_body=config.require("certificate"),
        )
        for name in ("first", "second")
    ]
    forwarding = [{"type": "forward", "target_group_arn": group.arn}]
    production = listener(
        "production",
        forwarding,
        protocol="HTTPS",
        certificate_arn=certificates[0].arn,
        ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
    )
    aws.lb.ListenerCertificate(
        "second", listener_arn=production.arn, certificate_arn=certificates[1].arn
    )
    aws.lb.ListenerRule(
        "pinned",
        listener_arn=production.arn,
        priority=10,
        actions=forwarding,
        conditions=[{"http_header": {"http_header_name": "X-Color", "values": ["blue"]}}],
    )
    aws.ssm.Parameter("active-color", type="String", value="blue")
    logs = aws.cloudwatch.LogGroup("audit", retention_in_days=7)
    aws.cloudwatch.LogStream("switches", log_group_name=logs.name)
    aws.cloudwatch.MetricAlarm(
        "errors",
        comparison_operator="GreaterThanThreshold",
        evaluation_periods=1,
        metric_name="HTTPCode_Target_5XX_Count",
        namespace="AWS/ApplicationELB",
        period=60,
        statistic="Sum",
        threshold=5,
        dimensions={"TargetGroup": group.arn_suffix},
    )
    aws.cloudwatch.Dashboard(
        "web",
        dashboard_name="web",
        dashboard_body=json.dumps({"widgets": [{"type": "text", "properties": {"markdown": "x"}}]}),
    )
"""


@pytest.fixture(scope="module")
def key_pair():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


def test_a_whole_service_is_made_kept_changed_and_destroyed(program, key_pair, world):
    key, certificate = key_pair
    stack = program(EVERYTHING)
    stack.configure("key", key)
    stack.configure("certificate", certificate)
    stack.put()
    assert set(stack.preview().plan) <= MADE_UP
    assert set(stack.refresh().done) <= MADE_UP
    assert "PRIVATE KEY" not in stack.run("stack", "export").stdout

    stack.configure("size", 2)
    result = stack.up()
    changed = {(step.name, step.op) for step in result.steps if step.name not in MADE_UP}
    assert changed == {("web", "update"), ("blue", "update")}, result
    groups = world.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    ours = next(group for group in groups if group["AutoScalingGroupName"].startswith("blue-"))
    assert ours["MaxSize"] == 6
    assert ours["LaunchTemplate"]["Version"] == "2"

    result = stack.destroy()
    assert result.ok, result


def test_a_load_balancer_is_planned_like_everything_else(program, world):
    # Made, it takes the provider a minute, most of which it only waits.
    stack = program("""
        aws.lb.LoadBalancer(
            "app",
            load_balancer_type="application",
            subnets=config.require_object("subnets"),
            client_keep_alive=60,
            enable_deletion_protection=True,
        )
    """)
    stack.configure("subnets", world.subnets)

    assert stack.preview().plan == ["app"]
