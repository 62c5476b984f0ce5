"""What answers may cost: tokens a day, reserved before the model is asked."""
