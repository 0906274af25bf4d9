"""The room of workflow: reminders of what waits for an account."""

from xinglin.engines.workflow.duties import DutyReminders
from xinglin.engines.workflow.reminders import DISMISSED, READ, UNREAD, Reminder, Reminders, Source, Waiting, Who

__all__ = ["DISMISSED", "READ", "UNREAD", "DutyReminders", "Reminder", "Reminders", "Source", "Waiting", "Who"]
