//! Offers records to the centre until a signed receipt frees them.
