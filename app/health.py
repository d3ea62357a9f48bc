"""The route /health, for load balancers and monitors."""

from fastapi import APIRouter

from app.routing import Route
from app.schemas import Done

router = APIRouter(prefix="/health", route_class=Route, tags=["health"])


@router.get("")
async def health() -> Done:
    """Answer that the service runs. Cognito is not asked."""
    return Done()
