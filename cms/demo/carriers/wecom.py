"""The demo WeCom: group robots, mass messages and Moments of one corporation, as one carrier."""

from cms.demo.carriers.wecom_corp import CORPID, EMPLOYEES, SECRET
from cms.demo.carriers.wecom_mass import MassMessages
from cms.demo.carriers.wecom_moments import Moments
from cms.demo.carriers.wecom_robots import ROBOT, Robots

__all__ = ["CORPID", "EMPLOYEES", "ROBOT", "SECRET", "WeCom"]


class WeCom(Robots, MassMessages, Moments):
    """An empty ledger knows the demo corporation, its employees and one robot already."""

    slug = "wecom"
    name = "WeCom"
