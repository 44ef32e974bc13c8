package io.pare.data;

/** One image cannot be read; the message says what is wrong with it, without its name. */
final class BadImageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    BadImageException(String reason) {
        super(reason, null, false, false);
    }

    /** What a decoder's failure says about the image. */
    static BadImageException of(Throwable failure) {
        if (failure instanceof OutOfMemoryError) {
            return new BadImageException("takes more memory than there is");
        }
        String message = failure.getMessage();
        return new BadImageException("is damaged: " + (message == null || message.isBlank()
                ? failure.getClass().getSimpleName()
                : message.lines().findFirst().orElseThrow()));
    }
}
