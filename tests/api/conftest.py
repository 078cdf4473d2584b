from api_deployment import deployment

__all__ = ["deployment"]
