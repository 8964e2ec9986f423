"""How teams come to be, change and merge; app.entrants says what a team is, and in which order locks are taken.

Every change locks the competition first, so that a competition's teams change one at a time. Until the merge deadline
teams form, take people in and merge; until the close they are renamed, handed over and left. Whoever joins brings all that they
have submitted in the competition, which is the team's from then on: so nobody leaves a team that has submissions,
except by dissolving one that is theirs alone.
"""

from app.teams.forming import create, hand_over, leave, rename
from app.teams.invitations import accept, decline, invite, invite_team, withdraw

__all__ = ["accept", "create", "decline", "hand_over", "invite", "invite_team", "leave", "rename", "withdraw"]
